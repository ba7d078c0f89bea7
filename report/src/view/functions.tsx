// Every function that was seen, by self or total time.
import { For, Show, createEffect, createMemo, createSignal, on, onMount } from "solid-js";
import type { JSX } from "solid-js";

import type { FunctionTotal } from "../engine/engine";
import type { Amount } from "../engine/module";
import { count, share } from "../format";
import { useModel } from "../model";
import type { SortKey } from "../state";
import { PRINTED_MAX, ROW_HEIGHT, heat, reveal, spoken, usePrinting, watchSize } from "./parts";

const MARGIN_ROWS = 12;

const columns: readonly { key: SortKey; label: string }[] = [
  { key: "self", label: "self" },
  { key: "total", label: "total" },
  { key: "samples", label: "samples" },
  { key: "name", label: "function" },
];

/** A time, and the share that it is. */
function Both(props: { amount: Amount }): JSX.Element {
  const model = useModel();
  const part = (): number => model.share(props.amount);
  return (
    <span class={`number both ${heat(part())}`} title={model.shareWithError(props.amount)}>
      <i class="bar" style={{ width: `${Math.min(100, part() * 100)}%` }} />
      <span>{model.time()(props.amount.ns)}</span>
      <span class="part">{share(part())}</span>
    </span>
  );
}

export function FunctionsView(): JSX.Element {
  const model = useModel();
  const { recording, state } = model;
  const [top, setTop] = createSignal(0);
  const [height, setHeight] = createSignal(600);
  let body!: HTMLDivElement;

  const rows = createMemo((): FunctionTotal[] => {
    model.selection();
    const least = state.threshold * model.whole().ns;
    const searching = model.found().active;
    const list = model
      .functionTotals()
      .filter((total) => (searching ? model.isFound(total.function) : total.total.ns >= least));
    const name = (total: FunctionTotal): string => recording.function(total.function).name;
    switch (state.sort) {
      case "total":
        return list.sort((a, b) => b.total.ns - a.total.ns);
      case "samples":
        return list.sort((a, b) => b.self.samples - a.self.samples);
      case "name":
        return list.sort((a, b) => (name(a) < name(b) ? -1 : 1));
      default:
        return list;
    }
  });
  const active = createMemo(() => {
    const fn = model.current()?.function;
    return rows().findIndex((row) => row.function === fn);
  });
  const printing = usePrinting();
  const first = createMemo(() => (printing() ? 0 : Math.max(0, Math.floor(top() / ROW_HEIGHT) - MARGIN_ROWS)));
  const last = (): number => (printing() ? PRINTED_MAX : Math.ceil((top() + height()) / ROW_HEIGHT) + MARGIN_ROWS);
  const inSight = createMemo(() => rows().slice(first(), last()));

  const go = (index: number): void => {
    const row = rows()[Math.max(0, Math.min(index, rows().length - 1))];
    if (row) {
      model.lookAtFunction(row.function);
    }
  };
  createEffect(
    on(active, (index) => {
      if (index >= 0 && state.selected !== null) {
        reveal(body, index);
      }
    }),
  );
  onMount(() => {
    watchSize(body, () => {
      setHeight(body.clientHeight);
    });
  });
  const onKey = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height() / ROW_HEIGHT) - 1);
    const steps: Partial<Record<string, number>> = {
      ArrowDown: active() + 1,
      ArrowUp: active() - 1,
      PageDown: active() + page,
      PageUp: active() - page,
      Home: 0,
      End: rows().length - 1,
      // While something is searched for, there are only matches.
      ...(model.found().active ? { n: active() + 1, N: (active() < 1 ? rows().length : active()) - 1 } : {}),
    };
    const to = steps[event.key];
    if (to !== undefined && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      go(event.key === "n" ? to % rows().length : to);
    }
  };
  return (
    <div class="functions">
      <div class="columns" role="group" aria-label="Sort by">
        <For each={columns.filter(({ key }) => model.recorded || key !== "samples")}>
          {(column) => (
            <button
              class={column.key === "name" ? "text" : "number"}
              aria-pressed={state.sort === column.key}
              onClick={() => {
                model.set({ sort: column.key });
              }}
            >
              {column.label}
              <Show when={column.key === "self" || column.key === "total"}>
                <span class="unit"> {model.time().unit}</span>
              </Show>
              <Show when={state.sort === column.key}>
                <span class="sorted" aria-hidden="true">
                  {" ↓"}
                </span>
              </Show>
            </button>
          )}
        </For>
      </div>
      <div
        ref={body}
        class="rows"
        role={rows().length > 0 ? "listbox" : "region"}
        aria-label={`${count(rows().length)} functions`}
        aria-activedescendant={active() >= 0 ? `function-${active()}` : undefined}
        tabIndex={0}
        onScroll={() => {
          setTop(body.scrollTop);
        }}
        onKeyDown={onKey}
      >
        <div class="sheet" role="presentation" style={{ height: `${rows().length * ROW_HEIGHT}px` }}>
          <For each={inSight()}>
            {(row, at) => (
              <div
                id={`function-${first() + at()}`}
                class="row"
                classList={{ active: first() + at() === active() }}
                role="option"
                aria-selected={first() + at() === active()}
                aria-setsize={rows().length}
                aria-posinset={first() + at() + 1}
                aria-label={`${recording.function(row.function).name}, self ${spoken(model, row.self)}, total ${spoken(
                  model,
                  row.total,
                )}`}
                style={{ top: `${(first() + at()) * ROW_HEIGHT}px` }}
                onClick={() => {
                  model.lookAtFunction(row.function);
                }}
              >
                <Both amount={row.self} />
                <Both amount={row.total} />
                <Show when={model.recorded}>
                  <span class="number samples">{count(row.self.samples)}</span>
                </Show>
                <span class="text">
                  <span
                    class="name"
                    classList={{
                      library: !model.isOwn(row.function),
                      found: model.isFound(row.function),
                    }}
                  >
                    {recording.function(row.function).name}
                  </span>
                  <span class="place">{recording.place(row.function)}</span>
                </span>
              </div>
            )}
          </For>
        </div>
        <Show when={rows().length === 0}>
          <p class="nothing">No function of what is selected is searched for, or takes long enough to be shown.</p>
        </Show>
      </div>
    </div>
  );
}
