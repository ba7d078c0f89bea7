// Source text with the time of each line: an excerpt beside a selection, and whole files as far as the page has them.
import { For, Show, createEffect, createMemo, on } from "solid-js";
import type { JSX } from "solid-js";

import { share, time } from "../format";
import { useModel } from "../model";
import type { LineTime, SourceLine } from "./lines";
import { addTime, linesOf } from "./lines";
import { heat } from "./parts";

const CONTEXT_LINES = 3;

export function Lines(props: { lines: SourceLine[]; label: string; chosen?: number | undefined }): JSX.Element {
  const model = useModel();
  const hottest = createMemo(() => Math.max(1, ...props.lines.map((line) => line.time?.total ?? 0)));
  return (
    <table class="code" aria-label={props.label}>
      <thead>
        <tr>
          <th scope="col">self {model.time().unit}</th>
          <th scope="col">total {model.time().unit}</th>
          <th scope="col">line</th>
          <th scope="col">
            <span class="unseen">text</span>
          </th>
        </tr>
      </thead>
      <tbody>
        <For each={props.lines}>
          {(line) => (
            <tr
              id={`line-${line.number}`}
              classList={{ gap: line.gap, timed: line.time !== undefined && line.text !== undefined, chosen: line.number === props.chosen }}
            >
              <td class="number">
                {line.time && line.time.self > 0 ? model.time()(line.time.self) : ""}
              </td>
              <td class="number">
                <Show when={line.time}>
                  {(spent) => (
                    <>
                      <i class="bar" style={{ width: `${(spent().total / hottest()) * 100}%` }} />
                      <span
                        class={heat(spent().total / Math.max(model.whole().ns, 1))}
                        title={share(spent().total / Math.max(model.whole().ns, 1))}
                      >
                        {model.time()(spent().total)}
                      </span>
                    </>
                  )}
                </Show>
              </td>
              <td class="line">{line.number}</td>
              <td class="source">
                <span classList={{ found: line.found }}>{line.text ?? ""}</span>
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
}

/** Why there is no text. */
function NoText(): JSX.Element {
  return (
    <p class="dim">
      The page holds no text of this: files that could not be read, that changed since, or that lie in a library are left
      out. <code>--source all</code> takes the libraries too.
    </p>
  );
}

/** The lines of one function. */
export function Excerpt(props: { function: number }): JSX.Element {
  const model = useModel();
  const text = createMemo(() => model.source.get(model.recording.fileOf(props.function)));
  const lines = createMemo((): SourceLine[] => {
    model.selection();
    const times = new Map<number, LineTime>();
    for (const line of model.lineTotals()) {
      if (line.function === props.function && line.line > 0) {
        addTime(times, line.line, line.self.ns, line.total.ns);
      }
    }
    const numbers = new Set(times.keys());
    const { firstLine } = model.recording.function(props.function);
    const known = text();
    if (known) {
      for (const line of times.keys()) {
        for (let near = line - CONTEXT_LINES; near <= line + CONTEXT_LINES; near++) {
          if (known.has(near)) {
            numbers.add(near);
          }
        }
      }
      if (known.has(firstLine)) {
        numbers.add(firstLine);
      }
    }
    return linesOf(numbers, known, times, new Set(model.isFound(props.function) ? [firstLine] : []));
  });
  return (
    <Show when={lines().length > 0} fallback={<p class="dim">No line of it was seen.</p>}>
      <div class="scroll" tabIndex={0} role="region" aria-label="Lines of the function">
        <Lines lines={lines()} label="Lines" />
      </div>
      <Show when={text() === undefined}>
        <NoText />
      </Show>
    </Show>
  );
}

interface SourceFile {
  readonly file: number;
  readonly name: string;
  readonly self: number;
  readonly own: boolean;
}

export function SourceView(): JSX.Element {
  const model = useModel();
  const { recording } = model;
  let pane!: HTMLDivElement;
  let list!: HTMLElement;
  const files = createMemo((): SourceFile[] => {
    model.folded();
    const files = new Map<number, { name: string; self: number; own: boolean }>();
    for (const total of model.functionTotals()) {
      const file = recording.fileOf(total.function);
      if (file === 0) {
        continue;
      }
      const before = files.get(file);
      if (before) {
        before.self += total.self.ns;
      } else {
        const own = model.isOwn(total.function);
        files.set(file, { name: recording.shortPath(total.function), self: total.self.ns, own });
      }
    }
    return [...files].map(([file, rest]) => ({ file, ...rest })).sort(
      (a, b) => Number(b.own) - Number(a.own) || b.self - a.self,
    );
  });
  const file = createMemo(() => {
    const current = model.current();
    const wanted = model.state.file ?? (current ? recording.fileOf(current.function) : 0);
    const list = files();
    return (
      list.find((entry) => entry.file === wanted) ??
      list.find((entry) => entry.own && model.source.has(entry.file)) ??
      list.find((entry) => model.source.has(entry.file)) ??
      list[0]
    );
  });
  /** Where functions that are searched for begin, by file. */
  const found = createMemo(() => {
    const found = new Map<number, Set<number>>();
    for (const { function: fn } of model.functionTotals()) {
      if (model.isFound(fn)) {
        const file = recording.fileOf(fn);
        found.set(file, (found.get(file) ?? new Set()).add(recording.function(fn).firstLine));
      }
    }
    return found;
  });
  const lines = createMemo((): SourceLine[] => {
    model.selection();
    const shown = file();
    if (!shown) {
      return [];
    }
    const times = new Map<number, LineTime>();
    for (const line of model.lineTotals()) {
      if (line.line > 0 && recording.fileOf(line.function) === shown.file) {
        addTime(times, line.line, line.self.ns, line.total.ns);
      }
    }
    const text = model.source.get(shown.file);
    return linesOf([...times.keys(), ...(text?.keys() ?? [])], text, times, found().get(shown.file) ?? new Set());
  });
  const wantedLine = createMemo(() => {
    const current = model.current();
    return current && recording.fileOf(current.function) === file()?.file
      ? recording.function(current.function).firstLine
      : undefined;
  });
  createEffect(
    on([file, wantedLine], ([shown, wanted]) => {
      const heaviest = [...lines()].sort((a, b) => (b.time?.total ?? 0) - (a.time?.total ?? 0))[0]?.number;
      const line = wanted ?? (shown ? heaviest : undefined);
      queueMicrotask(() => {
        pane.querySelector(`#line-${line ?? 0}`)?.scrollIntoView({ block: "center" });
        list.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
      });
    }),
  );
  return (
    <div class="source-view">
      <nav ref={list} class="files" aria-label="Files">
        <h2>Own files, then libraries&apos;, by self time</h2>
        <ul>
          <For each={files().slice(0, 500)}>
            {(entry) => (
              <li>
                <button
                  class="link"
                  classList={{ library: !entry.own, without: !model.source.has(entry.file) }}
                  aria-current={entry.file === file()?.file}
                  title={model.source.has(entry.file) ? entry.name : `${entry.name}: no text in this page`}
                  onClick={() => {
                    model.set({ file: entry.file });
                  }}
                >
                  <span class="number">{time(entry.self)}</span>
                  <span class="name" classList={{ found: found().has(entry.file) }}>
                    {entry.name}
                  </span>
                </button>
              </li>
            )}
          </For>
        </ul>
      </nav>
      <div class="pane scroll" ref={pane} tabIndex={0} role="region" aria-label={file()?.name ?? "Source"}>
        <Show when={file()} fallback={<p class="nothing">No function with a file was sampled in what is selected.</p>}>
          {(shown) => (
            <>
              <h2 class="name">{shown().name}</h2>
              <Show when={!model.source.has(shown().file)}>
                <NoText />
              </Show>
              <Lines lines={lines()} label={shown().name} chosen={wantedLine()} />
            </>
          )}
        </Show>
      </div>
    </div>
  );
}
