// Light and dark: by the system's preference, or as chosen here. The choice is kept where the browser allows it.
import { createSignal } from "solid-js";

export type Theme = "system" | "light" | "dark";

const key = "stacklapse-theme";
const preference = window.matchMedia("(prefers-color-scheme: dark)");

function kept(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

const [theme, setTheme] = createSignal<Theme>(kept());
const [systemDark, setSystemDark] = createSignal(preference.matches);
preference.addEventListener("change", (event) => {
  setSystemDark(event.matches);
});

export const isDark = (): boolean => (theme() === "system" ? systemDark() : theme() === "dark");

function apply(chosen: Theme): void {
  if (chosen === "system") {
    delete document.documentElement.dataset["theme"];
  } else {
    document.documentElement.dataset["theme"] = chosen;
  }
}

export function switchTheme(): void {
  const chosen: Theme = isDark() ? "light" : "dark";
  setTheme(chosen === (systemDark() ? "dark" : "light") ? "system" : chosen);
  apply(theme());
  try {
    if (theme() === "system") {
      localStorage.removeItem(key);
    } else {
      localStorage.setItem(key, theme());
    }
  } catch {
    // A sandboxed frame keeps nothing.
  }
}

apply(theme());
