import { ErrorBoundary, Match, Show, Switch, createSignal, onCleanup, onMount } from "solid-js";
import type { JSX } from "solid-js";

import { viewCommand } from "./command";
import { modes } from "./engine/engine";
import { visible } from "./engine/recording";
import { plural, time } from "./format";
import { useModel } from "./model";
import { viewNames } from "./state";
import { isDark, switchTheme } from "./theme";
import { FlameView } from "./view/flame";
import { FunctionsView } from "./view/functions";
import { Help } from "./view/help";
import { Overview } from "./view/overview";
import { Panel, copyStack } from "./view/panel";
import { copyText } from "./view/parts";
import { SourceView } from "./view/source";
import { SummaryView } from "./view/summary";
import { TimeView } from "./view/time";
import { Filters, Search, Tabs, Trail, viewLabels } from "./view/toolbar";
import { TreeView } from "./view/tree";

/** Narrower than this a page opens without the panel. */
const PANEL_FROM_PIXELS = 900;

/** Keys are meant for the view. Nobody has asked for it by tabbing to it, so no ring is drawn around it. */
function focusView(): void {
  const options: FocusOptions & { focusVisible: boolean } = { preventScroll: true, focusVisible: false };
  document.querySelector<HTMLElement>("#view [tabindex='0']")?.focus(options);
}

function typing(event: KeyboardEvent): boolean {
  const { target } = event;
  return (
    target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement
  );
}

export function App(): JSX.Element {
  const model = useModel();
  const { state, recording } = model;
  const { facts } = recording;
  const [help, setHelp] = createSignal(false);
  const [panel, setPanel] = createSignal(window.innerWidth >= PANEL_FROM_PIXELS);
  const process = recording.processes[0];
  const title =
    visible(model.options.title) || visible(facts.description) || visible(process?.command ?? "") || "recording";
  /** Source and summary need the whole width. */
  const panelled = (): boolean => state.view !== "summary" && state.view !== "source";
  const withPanel = (): boolean => panel() && panelled();

  const copyCommand = async (): Promise<void> => {
    const { recording, source } = model.options;
    if (recording === null) {
      model.say("This recording is in no file that a command could show again.");
      return;
    }
    const command = viewCommand(state, recording, source);
    model.say((await copyText(command)) ? `Copied: ${command}` : command);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event) || help()) {
      return;
    }
    const view = viewNames[Number(event.key) - 1];
    const selected = model.current()?.function ?? null;
    if (view !== undefined) {
      model.set({ view });
      queueMicrotask(focusView);
    } else if (event.key === "/") {
      document.getElementById("search")?.focus();
    } else if (event.key === "?") {
      setHelp(true);
    } else if (event.key === "l") {
      model.set({ showAll: !state.showAll });
    } else if (event.key === "i") {
      model.set({ inverted: !state.inverted });
    } else if (event.key === "o" && state.query !== "") {
      model.set({ only: !state.only });
    } else if (event.key === "m") {
      model.set({ mode: modes[(modes.indexOf(state.mode) + 1) % modes.length] ?? "wall" });
      model.say(`Mode: ${state.mode}`);
    } else if (event.key === "r") {
      model.set({ range: null });
    } else if (event.key === "p") {
      setPanel(!panel());
    } else if (event.key === "t") {
      switchTheme();
    } else if (event.key === "f" && selected !== null) {
      model.focus(selected);
    } else if (event.key === "u" || event.key === "Backspace") {
      model.unfocus(state.trail.length - 1);
    } else if (event.key === "c") {
      void copyStack(model);
    } else if (event.key === "v") {
      void copyCommand();
    } else if (event.key === "e" && selected !== null) {
      model.set({ view: "source", file: null });
    } else if (event.key === "Escape") {
      model.set(state.query !== "" ? { query: "", only: false } : { range: null });
    } else {
      return;
    }
    event.preventDefault();
  };
  onMount(() => {
    window.addEventListener("keydown", onKey);
    focusView();
    onCleanup(() => {
      window.removeEventListener("keydown", onKey);
    });
  });
  return (
    <>
      <header>
        <h1 title={title}>{title}</h1>
        <p class="facts">
          <span>{time(facts.durationNs)}</span>
          <Show when={model.recorded}>
            <span>{`${time(facts.cpuNs)} CPU`}</span>
            <span>{`${plural(facts.samples, "sample")} ${model.every}`}</span>
          </Show>
          <Show when={model.doubt}>{(doubt) => <span class="warm">{doubt()}</span>}</Show>
          <Show when={process?.python}>{(python) => <span>{`Python ${visible(python())}`}</span>}</Show>
          <Show when={!facts.complete}>
            <span class="warm">cut off before its end</span>
          </Show>
        </p>
        <div class="tools">
          <Show when={model.options.link.startsWith("./")}>
            <a class="itself" href={model.options.link}>
              Open the page itself
            </a>
          </Show>
          <Show when={model.options.recording !== null}>
            <button
              title="Copy the command that shows this again (v)"
              onClick={() => {
                void copyCommand();
              }}
            >
              Copy command
            </button>
          </Show>
          <button
            class="icon"
            title={isDark() ? "Light (t)" : "Dark (t)"}
            aria-label={isDark() ? "Switch to light" : "Switch to dark"}
            onClick={switchTheme}
          >
            {isDark() ? "☀" : "☾"}
          </button>
          <button class="icon" title="Keys (?)" aria-label="Keys" onClick={() => setHelp(true)}>
            ?
          </button>
        </div>
      </header>
      <Overview />
      <section class="toolbar" aria-label="Views and filters">
        <Tabs />
        <Search />
        <Filters />
        <button
          class="toggle"
          classList={{ absent: !panelled() }}
          aria-pressed={panel()}
          title="Panel (p)"
          onClick={() => setPanel(!panel())}
        >
          Panel
        </button>
      </section>
      <Trail />
      <main classList={{ "with-panel": withPanel() }}>
        <div id="view" role="tabpanel" aria-label={viewLabels[state.view]}>
          <ErrorBoundary
            fallback={(error: unknown) => (
              <p class="nothing" role="alert">
                {error instanceof Error ? error.message : String(error)} Select a shorter range, or search for less.
              </p>
            )}
          >
            <Switch>
              <Match when={state.view === "tree"}>
                <TreeView />
              </Match>
              <Match when={state.view === "flame"}>
                <FlameView />
              </Match>
              <Match when={state.view === "time"}>
                <TimeView />
              </Match>
              <Match when={state.view === "functions"}>
                <FunctionsView />
              </Match>
              <Match when={state.view === "source"}>
                <SourceView />
              </Match>
              <Match when={state.view === "summary"}>
                <SummaryView />
              </Match>
            </Switch>
          </ErrorBoundary>
        </div>
        <Show when={withPanel()}>
          <Panel />
        </Show>
      </main>
      <div class="said" role="status" aria-live="polite">
        <Show when={model.said()} keyed>
          {(said) => <p>{said.text}</p>}
        </Show>
      </div>
      <p class="told" role="status" aria-live="polite">
        {model.told()}
      </p>
      <Show when={help()}>
        <Help
          close={() => {
            setHelp(false);
          }}
        />
      </Show>
    </>
  );
}
