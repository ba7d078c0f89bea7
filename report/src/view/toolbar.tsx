// Views, search and filters.
import { For, Show, createEffect, createMemo, createSignal, onCleanup, onMount } from "solid-js";
import type { JSX } from "solid-js";

import type { Mode } from "../engine/engine";
import { plural, share } from "../format";
import { useModel } from "../model";
import { isBroken, isPattern } from "../search";
import type { ViewName } from "../state";
import { viewNames } from "../state";
import { Key } from "./parts";

export const viewLabels: Readonly<Record<ViewName, string>> = {
  tree: "Call tree",
  flame: "Flame graph",
  time: "Timeline",
  functions: "Functions",
  source: "Source",
  summary: "Summary",
};

const modeLabels: Readonly<Record<Mode, string>> = {
  wall: "Wall-clock time",
  cpu: "CPU time",
  gil: "Time with the GIL",
};

const NOT_A_PATTERN = "not a regular expression";

export function Tabs(): JSX.Element {
  const model = useModel();
  // In a narrow window the tabs lie in a strip that is moved sideways.
  createEffect(() => {
    document.getElementById(`tab-${model.state.view}`)?.scrollIntoView({ block: "nearest" });
  });
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const at = viewNames.indexOf(model.state.view);
      const next = viewNames[(at + step + viewNames.length) % viewNames.length] ?? "tree";
      model.set({ view: next });
      document.getElementById(`tab-${next}`)?.focus();
    }
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={onKey}>
      <For each={viewNames}>
        {(view, index) => (
          <button
            id={`tab-${view}`}
            role="tab"
            aria-selected={model.state.view === view}
            aria-controls="view"
            tabIndex={model.state.view === view ? 0 : -1}
            title={`${viewLabels[view]} (${index() + 1})`}
            onClick={() => {
              model.set({ view });
            }}
          >
            {viewLabels[view]}
          </button>
        )}
      </For>
    </div>
  );
}

export function Search(): JSX.Element {
  const model = useModel();
  const { state } = model;
  const matches = createMemo(() => {
    const found = model.found();
    if (state.query === "") {
      return "";
    }
    if (!found.valid) {
      return NOT_A_PATTERN;
    }
    return found.functions === 0 ? "no match" : `matches ${share(model.searched().ns / Math.max(model.total().ns, 1))}`;
  });
  return (
    <div class="search" role="search">
      <input
        id="search"
        type="search"
        spellcheck={false}
        autocomplete="off"
        placeholder="Search functions and files  /"
        aria-label="Search functions and files"
        value={state.query}
        onInput={(event) => {
          model.set({ query: event.currentTarget.value });
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            model.set({ query: "" });
            event.currentTarget.blur();
          } else if (event.key === "Enter") {
            document.querySelector<HTMLElement>("#view [tabindex='0']")?.focus();
          }
        }}
      />
      <button
        class="toggle mono"
        aria-pressed={state.regex}
        title="Search with a regular expression"
        aria-label="Regular expression"
        onClick={() => {
          model.set({ regex: !state.regex });
        }}
      >
        .*
      </button>
      <button
        class="toggle"
        aria-pressed={state.only}
        disabled={state.query === "" && !state.only}
        title="Leave out all samples without a match (o)"
        onClick={() => {
          model.set({ only: !state.only });
        }}
      >
        only
      </button>
      <span class="matches" role="status">
        {matches()}
      </span>
    </div>
  );
}

/** Threads that the filters list. */
const THREADS_MAX = 200;

/** Text with globs and regular expressions, separated by blanks; globs by commas, too. */
function globs(text: string): string[] {
  return text
    .split(/\s+/u)
    .flatMap((word) => (isPattern(word) ? word : word.split(",")))
    .filter((glob) => glob !== "");
}

function Globs(props: { of: "hide" | "show"; label: string; placeholder: string }): JSX.Element {
  const model = useModel();
  const invalid = (): boolean => model.state[props.of].some(isBroken);
  return (
    <label>
      <span>{props.label}</span>
      <input
        type="text"
        spellcheck={false}
        placeholder={props.placeholder}
        aria-invalid={invalid()}
        value={model.state[props.of].join(" ")}
        onChange={(event) => {
          model.set({ [props.of]: globs(event.currentTarget.value) });
        }}
      />
      <Show when={invalid()}>
        <span class="hot">{NOT_A_PATTERN}</span>
      </Show>
    </label>
  );
}

export function Filters(): JSX.Element {
  const model = useModel();
  const { state, recording } = model;
  const [open, setOpen] = createSignal(false);
  let root!: HTMLDivElement;
  const active = createMemo(
    () =>
      [...state.hide, ...state.show].filter((word) => !isBroken(word)).length +
      (state.threads.length > 0 ? 1 : 0) +
      (state.mode === "wall" ? 0 : 1),
  );
  const outside = (event: Event): void => {
    if (open() && event.target instanceof Node && !root.contains(event.target)) {
      setOpen(false);
    }
  };
  onMount(() => {
    document.addEventListener("pointerdown", outside);
    onCleanup(() => {
      document.removeEventListener("pointerdown", outside);
    });
  });
  const toggleThread = (thread: number, taken: boolean): void => {
    const all = recording.threads.map((_, index) => index);
    const now = state.threads.length > 0 ? state.threads : all;
    const next = taken ? [...now, thread].sort((a, b) => a - b) : now.filter((other) => other !== thread);
    model.set({ threads: next.length === all.length ? [] : next });
  };
  return (
    <div
      class="filters"
      ref={root}
      onKeyDown={(event) => {
        if (event.key === "Escape" && open()) {
          event.stopPropagation();
          setOpen(false);
        }
      }}
    >
      <button
        class="toggle"
        aria-pressed={state.showAll}
        title="Show library code, or fold it (l)"
        onClick={() => {
          model.set({ showAll: !state.showAll });
        }}
      >
        Library code
      </button>
      <button aria-expanded={open()} aria-controls="filters" onClick={() => setOpen(!open())}>
        Filters
        <Show when={active() > 0}>
          <span class="badge">{active()}</span>
        </Show>
      </button>
      <button
        class="toggle"
        // Where it has no meaning it keeps its place, so that nothing beside it moves.
        classList={{ absent: state.view !== "tree" && state.view !== "flame" }}
        aria-pressed={state.inverted}
        title="From the functions that ran to their callers (i)"
        onClick={() => {
          model.set({ inverted: !state.inverted });
        }}
      >
        Inverted
      </button>
      <Show when={open()}>
        <div id="filters" class="sheet-over" role="group" aria-label="Filters">
          <label>
            <span>Time counted</span>
            <select
              onChange={(event) => {
                model.set({ mode: event.currentTarget.value as Mode });
              }}
            >
              <For each={["wall", "cpu", "gil"] as const}>
                {(mode) => (
                  <option value={mode} selected={state.mode === mode}>
                    {modeLabels[mode]}
                  </option>
                )}
              </For>
            </select>
          </label>
          <label>
            <span>Leave out what takes less than</span>
            <span class="with-unit">
              <input
                type="number"
                min="0"
                max="100"
                step="0.1"
                value={Number((state.threshold * 100).toPrecision(4))}
                onChange={(event) => {
                  const percent = event.currentTarget.valueAsNumber;
                  model.set({ threshold: Number.isFinite(percent) ? Math.min(Math.max(percent, 0), 100) / 100 : 0 });
                }}
              />
              %
            </span>
          </label>
          <Globs
            of="hide"
            label="Fold as well: globs, or re: and a pattern"
            placeholder="requests.*  */vendor/*  re:/(v|gen)\d"
          />
          <Globs of="show" label="Never fold" placeholder="numpy  app/*" />
          <Show when={recording.processes.length > 1}>
            <label class="check">
              <input
                type="checkbox"
                checked={state.merge}
                onChange={(event) => {
                  model.set({ merge: event.currentTarget.checked });
                }}
              />
              <span>One call tree for all processes</span>
            </label>
          </Show>
          <Show when={recording.threadCount > 1}>
            <fieldset>
              <legend>
                {plural(recording.threadCount, "thread")}
                <button
                  class="link"
                  onClick={() => {
                    model.set({ threads: [] });
                  }}
                >
                  all
                </button>
              </legend>
              <For each={recording.threads.slice(0, THREADS_MAX)}>
                {(_, index) => (
                  <label class="check">
                    <input
                      type="checkbox"
                      checked={state.threads.length === 0 || state.threads.includes(index())}
                      // Without the last one, none would be left.
                      disabled={state.threads.length === 1 && state.threads[0] === index()}
                      onChange={(event) => {
                        toggleThread(index(), event.currentTarget.checked);
                      }}
                    />
                    <span>{model.threadLabel(index())}</span>
                    <button
                      class="link"
                      onClick={() => {
                        model.set({ threads: [index()] });
                      }}
                    >
                      only this
                    </button>
                  </label>
                )}
              </For>
              <Show when={recording.threadCount > THREADS_MAX}>
                <p class="dim">{`and ${recording.threadCount - THREADS_MAX} more`}</p>
              </Show>
            </fieldset>
          </Show>
        </div>
      </Show>
    </div>
  );
}

/** What is dug into, with a way back to each step. */
export function Trail(): JSX.Element {
  const model = useModel();
  const { state, recording } = model;
  return (
    <Show when={state.trail.length > 0}>
      <nav class="trail" aria-label="Focus">
        <button
          class="link"
          onClick={() => {
            model.unfocus(0);
          }}
        >
          Everything
        </button>
        <For each={state.trail}>
          {(fn, index) => (
            <>
              <span class="dim" aria-hidden="true">
                ›
              </span>
              <button
                class="link name"
                aria-current={index() === state.trail.length - 1 ? "true" : undefined}
                onClick={() => {
                  model.unfocus(index() + 1);
                }}
              >
                {recording.function(fn).name}
              </button>
            </>
          )}
        </For>
        <span class="dim">{share(model.share(model.total()))}</span>
        <button
          class="back"
          onClick={() => {
            model.unfocus(state.trail.length - 1);
          }}
        >
          Back <Key name="u" />
        </button>
      </nav>
    </Show>
  );
}
