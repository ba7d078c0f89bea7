// The keys.
import { For, onMount } from "solid-js";
import type { JSX } from "solid-js";

const groups: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    title: "Everywhere",
    keys: [
      ["1 … 6", "call tree, flame graph, timeline, functions, source, summary"],
      ["/", "search"],
      ["n  N", "next and previous match: tree, flame graph, functions"],
      ["o", "only samples with a match"],
      ["l", "show or fold library code"],
      ["i", "invert the tree and the flame graph"],
      ["m", "wall-clock time, CPU time, time with the GIL"],
      ["r", "back to the whole recording"],
      ["p", "show or hide the panel"],
      ["t", "light or dark"],
      ["Esc", "close, clear"],
      ["?", "these keys"],
    ],
  },
  {
    title: "On a function",
    keys: [
      ["f", "focus: what runs in it is everything"],
      ["u", "back out of the focus"],
      ["c", "copy the stack"],
      ["v", "copy the command that shows this again"],
      ["e", "go to its source"],
    ],
  },
  {
    title: "Call tree",
    keys: [
      ["↑ ↓", "move"],
      ["← →", "close and open; go to the caller"],
      ["Enter", "open or close"],
      ["*", "open all below"],
    ],
  },
  {
    title: "Flame graph and timeline",
    keys: [
      ["w s  + −", "zoom in and out"],
      ["a d", "move"],
      ["0", "show all"],
      ["arrows", "in the flame graph: from call to call; in the timeline: move"],
      ["Enter", "flame graph: zoom to the call; timeline: select what is in sight"],
      ["z", "timeline: zoom to the range"],
      ["shift + wheel", "scroll"],
      ["shift + drag", "timeline: move"],
    ],
  },
];

export function Help(props: { close: () => void }): JSX.Element {
  let dialog!: HTMLDialogElement;
  onMount(() => {
    dialog.showModal();
  });
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-label="Keys"
      onClose={() => {
        props.close();
      }}
      onClick={(event) => {
        if (event.target === dialog) {
          dialog.close();
        }
      }}
    >
      <div class="groups">
        <For each={groups}>
          {(group) => (
            <section>
              <h2>{group.title}</h2>
              <dl>
                <For each={group.keys}>
                  {([keys, what]) => (
                    <div>
                      <dt>
                        <kbd>{keys}</kbd>
                      </dt>
                      <dd>{what}</dd>
                    </div>
                  )}
                </For>
              </dl>
            </section>
          )}
        </For>
      </div>
      <form method="dialog">
        <button>Close</button>
      </form>
    </dialog>
  );
}
