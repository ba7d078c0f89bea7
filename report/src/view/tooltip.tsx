// What lies under the pointer, beside the pointer.
import { For, Show } from "solid-js";
import type { JSX } from "solid-js";

export interface Tip {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly lines: readonly string[];
}

const WIDTH = 380;

export function Tooltip(props: { tip: Tip | null }): JSX.Element {
  return (
    <Show when={props.tip}>
      {(tip) => (
        <div
          class="tooltip"
          role="presentation"
          style={{
            left: `${Math.max(4, Math.min(tip().x + 14, window.innerWidth - WIDTH))}px`,
            top: tip().y > window.innerHeight - 130 ? "auto" : `${tip().y + 16}px`,
            bottom: tip().y > window.innerHeight - 130 ? `${window.innerHeight - tip().y + 10}px` : "auto",
          }}
        >
          <b class="name">{tip().title}</b>
          <For each={tip().lines}>{(line) => <span>{line}</span>}</For>
        </div>
      )}
    </Show>
  );
}
