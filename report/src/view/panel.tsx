// What is known about the function that a person looks at: its numbers, its source with the time of each line, and who
// calls it and whom it calls.
import { For, Show, createMemo } from "solid-js";
import type { JSX } from "solid-js";

import type { Edge } from "../engine/engine";
import { NONE } from "../engine/layout";
import type { Amount } from "../engine/module";
import { share } from "../format";
import type { Current, Model } from "../model";
import { useModel } from "../model";
import { Key, copyText, heat } from "./parts";
import { Excerpt } from "./source";

const NEIGHBOURS_MAX = 12;

/** A stack as text, outermost call first. */
export function stackText(model: Model, current: Current): string {
  const path = current.path.length > 0 ? current.path : [current.function];
  return path
    .map((fn) => {
      const place = model.recording.place(fn);
      return place === "" ? model.recording.function(fn).name : `${model.recording.function(fn).name}  ${place}`;
    })
    .join("\n");
}

export async function copyStack(model: Model): Promise<void> {
  const current = model.current();
  if (current !== null) {
    model.say((await copyText(stackText(model, current))) ? "Copied the stack." : "The browser did not allow copying.");
  }
}

function Measure(props: { name: string; amount: Amount }): JSX.Element {
  const model = useModel();
  return (
    <div class="measure">
      <dt>{props.name}</dt>
      <dd>
        <b class={heat(model.share(props.amount))}>
          {model.time()(props.amount.ns)} {model.time().unit}
        </b>
        <span>{model.shareWithError(props.amount)}</span>
        <span class="dim">{model.samples(props.amount)}</span>
      </dd>
    </div>
  );
}

function Neighbours(props: { title: string; edges: Edge[]; of: (edge: Edge) => number; whole: Amount }): JSX.Element {
  const model = useModel();
  const shown = (): Edge[] => props.edges.slice(0, NEIGHBOURS_MAX);
  return (
    <section class="neighbours">
      <h3>{props.title}</h3>
      <Show when={props.edges.length > 0} fallback={<p class="dim">none</p>}>
        <ul>
          <For each={shown()}>
            {(edge) => (
              <li>
                <span class="number">{model.time()(edge.total.ns)}</span>
                <span class="share">
                  <i class="bar" style={{ width: `${Math.min(100, (edge.total.ns / props.whole.ns) * 100)}%` }} />
                  {share(edge.total.ns / Math.max(props.whole.ns, 1))}
                </span>
                <Show when={props.of(edge) !== NONE} fallback={<span class="name dim">the thread itself</span>}>
                  <button
                    class="name link"
                    classList={{ library: !model.isOwn(props.of(edge)) }}
                    title={model.recording.place(props.of(edge))}
                    onClick={() => {
                      model.lookAtFunction(props.of(edge));
                    }}
                  >
                    {model.recording.function(props.of(edge)).name}
                  </button>
                </Show>
              </li>
            )}
          </For>
        </ul>
        <Show when={props.edges.length > NEIGHBOURS_MAX}>
          <p class="dim">{`and ${props.edges.length - NEIGHBOURS_MAX} more`}</p>
        </Show>
      </Show>
    </section>
  );
}

export function Panel(): JSX.Element {
  const model = useModel();
  const { recording } = model;
  const fn = createMemo(() => model.current()?.function ?? null);
  const all = createMemo(() => {
    model.selection();
    return model.functionTotals().find((total) => total.function === fn());
  });
  const here = createMemo(model.here);
  const nothing: Amount = { ns: 0, samples: 0 };
  const heaviest = (a: Edge, b: Edge): number => b.total.ns - a.total.ns;
  const callers = createMemo(() => {
    model.selection();
    return model
      .edges()
      .filter((edge) => edge.callee === fn())
      .sort(heaviest);
  });
  const callees = createMemo(() => {
    model.selection();
    return model
      .edges()
      .filter((edge) => edge.caller === fn())
      .sort(heaviest);
  });
  return (
    <aside class="panel" aria-label="The selected function">
      <Show
        when={model.current()}
        fallback={
          <p class="nothing">
            Choose a function to see its source, its callers and its callees. <Key name="?" /> shows the keys.
          </p>
        }
      >
        {(current) => (
          <>
            <h2 class="name">{recording.function(current().function).name}</h2>
            <p class="place">{recording.place(current().function) || "no file"}</p>
            <dl>
              <Show when={here()}>
                {(amounts) => (
                  <>
                    <Measure name="here" amount={amounts().total} />
                    <Show when={amounts().self.ns > 0}>
                      <Measure name="here, self" amount={amounts().self} />
                    </Show>
                    <Show when={amounts().hidden.ns > 0}>
                      <Measure name="here, hidden" amount={amounts().hidden} />
                    </Show>
                  </>
                )}
              </Show>
              <Show when={all()?.total.ns !== here()?.total.ns || !here()}>
                <Measure name={here() ? "everywhere" : "total"} amount={all()?.total ?? nothing} />
                <Measure name={here() ? "everywhere, self" : "self"} amount={all()?.self ?? nothing} />
              </Show>
            </dl>
            <div class="actions">
              <button
                onClick={() => {
                  model.focus(current().function);
                }}
              >
                Focus <Key name="f" />
              </button>
              <button
                onClick={() => {
                  void copyStack(model);
                }}
              >
                Copy stack <Key name="c" />
              </button>
            </div>
            <section class="excerpt">
              <h3>Lines</h3>
              <Excerpt function={current().function} />
            </section>
            <Neighbours title="Callers" edges={callers()} of={(edge) => edge.caller} whole={all()?.total ?? nothing} />
            <Neighbours title="Callees" edges={callees()} of={(edge) => edge.callee} whole={all()?.total ?? nothing} />
          </>
        )}
      </Show>
    </aside>
  );
}
