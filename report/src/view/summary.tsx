// What was recorded, how well, and where the time went by kind.
import { For, Show, createMemo } from "solid-js";
import type { JSX } from "solid-js";

import { kindColour, kindText } from "../colours";
import type { KindAmount } from "../engine/engine";
import { visible } from "../engine/recording";
import { bytes, count, moment, share, time } from "../format";
import { useModel } from "../model";
import { systemCallName } from "../system_calls";
import { isDark } from "../theme";

const unknown = "not known";

function Fact(props: { name: string; children: JSX.Element }): JSX.Element {
  return (
    <div class="fact">
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function pairs(texts: readonly string[]): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) {
    found.push([texts[i] ?? "", texts[i + 1] ?? ""]);
  }
  return found;
}

function kindName(kind: KindAmount): string {
  return kind.kind === "call" && kind.call >= 0 ? `waiting: ${systemCallName(kind.call)}` : kindText[kind.kind];
}

export function SummaryView(): JSX.Element {
  const model = useModel();
  const { recording } = model;
  const { facts, processes, threads } = recording;
  const kinds = createMemo(() => {
    model.selection();
    return model.engine.kinds();
  });
  const kindsWhole = createMemo(() => Math.max(1, kinds().reduce((sum, kind) => sum + kind.amount.ns, 0)));
  const heaviest = createMemo(() => {
    model.selection();
    return model.functionTotals().slice(0, 10);
  });
  const about = pairs(model.options.about);
  const { recorded } = model;
  const part = (value: number): string => (facts.samples > 0 ? ` (${share(value / facts.samples)})` : "");
  return (
    <div class="summary scroll" tabIndex={0} role="region" aria-label="Summary">
      <div class="sections">
        <Show when={about.length > 0}>
          <section>
            <h2>Request</h2>
            <dl>
              <For each={about}>{([name, text]) => <Fact name={visible(name)}>{visible(text)}</Fact>}</For>
            </dl>
          </section>
        </Show>
        <section>
          <h2>Recording</h2>
          <dl>
            <Show when={facts.description !== ""}>
              <Fact name="what">{visible(facts.description)}</Fact>
            </Show>
            <For each={processes.slice(0, 20)}>
              {(process) => (
                <>
                  <Fact name={processes.length > 1 ? `process ${process.pid}` : "command"}>
                    <code>{visible(process.command) || unknown}</code>
                  </Fact>
                  <Fact name="Python">
                    {visible(process.python) || unknown}{" "}
                    <Show when={process.executable !== ""}>
                      <span class="dim">{visible(process.executable)}</span>
                    </Show>
                  </Fact>
                  <Show when={process.exitStatus > 0}>
                    <Fact name="ended with">{endText(process.exitStatus)}</Fact>
                  </Show>
                </>
              )}
            </For>
            <Show when={processes.length > 20}>
              <Fact name="">{`and ${processes.length - 20} more processes`}</Fact>
            </Show>
            <Fact name="recorded">{recorded ? moment(facts.startTimeMs) : unknown}</Fact>
            <Fact name="duration">{time(facts.durationNs)}</Fact>
            <Fact name="CPU time">
              {recorded ? time(facts.cpuNs) : unknown}
              <Show when={facts.childrenCpuNs > 0}>
                <span class="dim">{` and ${time(facts.childrenCpuNs)} of children that were not recorded`}</span>
              </Show>
            </Fact>
            <Fact name="threads">{count(threads.length)}</Fact>
          </dl>
        </section>
        <Show when={recorded}>
          <section>
            <h2>Sampling</h2>
            <dl>
              <Fact name="samples">
                {count(facts.samples)} <span class="dim">{model.every && `one thread ${model.every}`}</span>
              </Fact>
              <For each={[["missed", facts.missed] as const, ["broken", facts.broken] as const]}>
                {([name, value]) => (
                  <Fact name={name}>
                    {count(value)}
                    <span class="dim">{part(value)}</span>
                  </Fact>
                )}
              </For>
              <Fact name="late slots">
                {count(facts.late)} <span class="warm">{model.doubt}</span>
              </Fact>
              <Fact name="walks repeated">{count(facts.retried)}</Fact>
              <Fact name="cost of sampling">
                {time(facts.samplerCpuNs)}
                <span class="dim">{` ${share(facts.samplerCpuNs / Math.max(facts.durationNs, 1))} of a core`}</span>
              </Fact>
              <Show when={facts.traceBytes > 0}>
                <Fact name="trace">{bytes(facts.traceBytes)}</Fact>
              </Show>
              <Show when={!facts.complete}>
                <Fact name="not complete">
                  {facts.lostBytes > 0
                    ? `${bytes(facts.lostBytes)} of the trace could not be read`
                    : "the recording was cut off before its end"}
                </Fact>
              </Show>
              <Fact name="recorded by">{`stacklapse ${visible(facts.version)}`}</Fact>
            </dl>
          </section>
        </Show>
        <section>
          <h2>Where the time went</h2>
          <div class="kinds" aria-hidden="true">
            <For each={kinds()}>
              {(kind) => (
                <i
                  style={{
                    width: `${(kind.amount.ns / kindsWhole()) * 100}%`,
                    background: kindColour(kind.kind, isDark()),
                  }}
                />
              )}
            </For>
          </div>
          <table>
            <thead>
              <tr>
                <th scope="col">kind</th>
                <th scope="col" class="number">
                  time
                </th>
                <th scope="col" class="number">
                  share of all threads&apos; time
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={kinds()}>
                {(kind) => (
                  <tr>
                    <td>
                      <i class="swatch" style={{ background: kindColour(kind.kind, isDark()) }} />
                      {kindName(kind)}
                    </td>
                    <td class="number">{time(kind.amount.ns)}</td>
                    <td class="number">{share(kind.amount.ns / kindsWhole())}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </section>
        <section>
          <h2>Heaviest functions</h2>
          <table>
            <thead>
              <tr>
                <th scope="col">function</th>
                <th scope="col" class="number">
                  self
                </th>
                <th scope="col" class="number">
                  share
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={heaviest()}>
                {(total) => (
                  <tr>
                    <td>
                      <button
                        class="link name"
                        classList={{ found: model.isFound(total.function) }}
                        title={recording.place(total.function)}
                        onClick={() => {
                          model.lookAtFunction(total.function);
                          model.set({ view: "functions" });
                        }}
                      >
                        {recording.function(total.function).name}
                      </button>
                    </td>
                    <td class="number">{time(total.self.ns)}</td>
                    <td class="number">{model.shareWithError(total.self)}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
          <Show when={recorded}>
            <p class="dim">{`${model.samples(model.total())} in what is selected.`}</p>
          </Show>
        </section>
      </div>
    </div>
  );
}

/** An exit status as of waitpid(2). */
function endText(status: number): string {
  const signal = status & 0x7f;
  return signal !== 0 ? `signal ${signal}` : `exit code ${(status >> 8) & 0xff}`;
}
