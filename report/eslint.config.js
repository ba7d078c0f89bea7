import js from "@eslint/js";
import solid from "eslint-plugin-solid/configs/typescript";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores(["node_modules/", "build/", "dist/", "eslint.config.js"]),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    files: ["src/**/*.tsx"],
    ...solid,
    rules: {
      ...solid.rules,
      "solid/reactivity": ["error", { customReactiveFunctions: ["oncePerFrame"] }],
    },
  },
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // TypeScript knows what is defined.
      "no-undef": "off",
      // Numbers are what a report is made of.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/explicit-function-return-type": ["error", { allowExpressions: true }],
    },
  },
);
