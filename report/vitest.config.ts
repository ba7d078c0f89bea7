import solid from "vite-plugin-solid";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    maxWorkers: 2, // as many as a small machine has cores; by default it would be one less
    projects: [
      {
        plugins: [solid()],
        test: { name: "unit", include: ["tests/unit/*.test.ts"], environment: "node", testTimeout: 60_000 },
      },
      {
        test: {
          name: "page",
          include: ["tests/page/*.test.ts"],
          environment: "node",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: 1, // a browser on a machine that is busy: as for the tests in pytest (scripts/test)
        },
      },
    ],
  },
});
