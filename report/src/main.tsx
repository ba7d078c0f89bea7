import { render } from "solid-js/web";

import { App } from "./app";
import { openPage } from "./engine/payload";
import { ModelContext, createModel } from "./model";

async function start(): Promise<void> {
  const root = document.getElementById("app");
  if (root === null) {
    return;
  }
  try {
    const page = await openPage();
    render(() => {
      const model = createModel(page);
      return (
        <ModelContext.Provider value={model}>
          <App />
        </ModelContext.Provider>
      );
    }, root);
    performance.mark("stacklapse-ready");
    document.documentElement.dataset["ready"] = "yes";
  } catch (error) {
    // What can be shown without the views is in the page already.
    delete document.documentElement.dataset["scripts"];
    const message = document.createElement("p");
    message.setAttribute("role", "alert");
    message.textContent = `The views could not be opened: ${error instanceof Error ? error.message : String(error)}`;
    root.replaceChildren(message);
    throw error;
  }
}

void start();
