// The flame graph: the call tree drawn to scale, heaviest first.
import { For, Show, createEffect, createMemo, createSignal, on, onMount, untrack } from "solid-js";
import type { JSX } from "solid-js";

import { bounded, oncePerFrame, surface } from "../chart/canvas";
import { FLAME_ROW, drawFlame, flameNodeAt, flameRows } from "../chart/flame";
import { moved, watchDrags, watchWheel, zoomed } from "../chart/gestures";
import { Palette, ink, roleColours } from "../colours";
import { callsAt } from "../engine/calls";
import { NODE, NONE } from "../engine/layout";
import { plural, share, time } from "../format";
import { useModel } from "../model";
import { isDark } from "../theme";
import { Key, spoken, watchSize } from "./parts";
import { Tooltip } from "./tooltip";
import type { Tip } from "./tooltip";

/** The narrowest span that can be zoomed to. */
const LEAST_NS = 1000;

/** What the colours say. */
function Colours(): JSX.Element {
  const { state } = useModel();
  return (
    <ul class="legend" aria-label="Colours">
      <For each={roleColours(isDark())}>
        {([what, colour]) => (
          <li>
            <i class="swatch" style={{ background: colour }} />
            {what}
          </li>
        )}
      </For>
      <Show when={!state.showAll}>
        <li>
          library calls are folded, <Key name="l" /> shows them
        </li>
      </Show>
    </ul>
  );
}

export function FlameView(): JSX.Element {
  const model = useModel();
  const { recording, state, engine } = model;
  let box!: HTMLDivElement;
  let canvas!: HTMLCanvasElement;
  const [size, setSize] = createSignal<readonly [number, number]>([0, 0]);
  const [top, setTop] = createSignal(0);
  const [tip, setTip] = createSignal<Tip | null>(null);
  const [hovered, setHovered] = createSignal(-1);
  const [selected, setSelected] = createSignal(-1);

  const flame = createMemo(model.flameGraph);
  const rows = createMemo(() => flameRows(flame()));
  const wholeNs = createMemo(() => Math.max(1, flame().tree.wide(0, NODE.total)));
  const [span, setSpan] = createSignal<readonly [number, number]>([0, untrack(wholeNs)]);
  createEffect(
    on(flame, () => {
      setSpan([0, wholeNs()]);
      setHovered(-1);
      // What was looked at before stays chosen where it can be found again by its path.
      const path = model.current()?.path ?? [];
      setSelected(callsAt(flame().tree, state.inverted ? [...path].reverse() : path)[0] || -1);
    }),
  );
  const palette = createMemo(() => {
    model.folded();
    return new Palette(recording, (fn) => engine.role(fn), isDark());
  });

  const draw = (): void => {
    const [width, height] = size();
    const drawn = surface(canvas, width, height);
    if (!drawn) {
      return;
    }
    drawFlame(drawn, flame(), {
      begin: span()[0],
      end: span()[1],
      top: top(),
      colour: (fn) => palette().of(fn),
      label: (fn) => recording.function(fn).name,
      found: (fn) => model.isFound(fn),
      searching: model.found().active,
      selected: selected(),
      hovered: hovered(),
      ink: ink(isDark()),
    });
  };
  const redraw = oncePerFrame(draw);
  createEffect(on([flame, span, size, top, palette, model.found, selected, hovered], redraw));

  const instant = (x: number): number => span()[0] + (x / Math.max(size()[0], 1)) * (span()[1] - span()[0]);
  const nodeAt = (x: number, y: number): number =>
    flameNodeAt(flame(), Math.floor((y + top()) / FLAME_ROW), instant(x));

  const choose = (node: number, aloud = false): void => {
    if (node <= 0) {
      return;
    }
    setSelected(node);
    const { tree } = flame();
    const path = tree.path(node).map((at) => tree.word(at, NODE.subject));
    model.look({
      function: tree.word(node, NODE.subject),
      path: state.inverted ? path.reverse() : path,
    });
    const y = (tree.word(node, NODE.depth) - 1) * FLAME_ROW;
    if (y < box.scrollTop || y + FLAME_ROW > box.scrollTop + box.clientHeight) {
      box.scrollTop = y - box.clientHeight / 3;
    }
    if (aloud) {
      const level = tree.word(node, NODE.depth);
      model.tell(`${recording.function(tree.word(node, NODE.subject)).name}, ${spoken(model, tree.total(node))}, level ${level}`);
    }
  };
  const zoomTo = (node: number): void => {
    if (node >= 0) {
      const begin = flame().offset(node);
      setSpan(bounded(begin, begin + flame().tree.wide(node, NODE.total), wholeNs(), LEAST_NS));
    }
  };
  const zoom = (factor: number, part: number): void => {
    setSpan(zoomed({ begin: span()[0], end: span()[1] }, factor, part, wholeNs(), LEAST_NS));
  };
  const pan = (parts: number): void => {
    setSpan(moved({ begin: span()[0], end: span()[1] }, parts, wholeNs()));
  };

  onMount(() => {
    watchSize(box, () => {
      setSize([box.clientWidth, box.clientHeight]);
    });
    watchWheel(box, zoom, pan);
    let grabbed: { span: readonly [number, number]; top: number } | null = null;
    watchDrags(box, {
      move: (x, y, start) => {
        grabbed ??= { span: span(), top: box.scrollTop };
        const length = grabbed.span[1] - grabbed.span[0];
        const by = ((start.x - x) / Math.max(size()[0], 1)) * length;
        setSpan(bounded(grabbed.span[0] + by, grabbed.span[1] + by, wholeNs(), length));
        box.scrollTop = grabbed.top + start.y - y;
        setTip(null);
      },
      end: () => {
        grabbed = null;
      },
      click: (x, y) => {
        const node = nodeAt(x, y);
        if (node > 0) {
          choose(node);
        }
        box.focus();
      },
    });
  });

  const onHover = (event: PointerEvent): void => {
    const at = box.getBoundingClientRect();
    const node = event.buttons === 0 ? nodeAt(event.clientX - at.left, event.clientY - at.top) : -1;
    setHovered(node);
    if (node <= 0) {
      setTip(null);
      return;
    }
    const { tree } = flame();
    const fn = tree.word(node, NODE.subject);
    const total = tree.total(node);
    const self = tree.self(node);
    const hidden = tree.word(node, NODE.hiddenFrames);
    setTip({
      x: event.clientX,
      y: event.clientY,
      title: recording.function(fn).name,
      lines: [
        recording.place(fn),
        `${time(total.ns)}, ${model.shareWithError(total)}`,
        self.ns > 0 ? `self ${time(self.ns)}, ${share(model.share(self))}` : "",
        hidden > 0 ? `${plural(hidden, "library frame")} folded, ${time(tree.hidden(node).ns)}` : "",
      ].filter((line) => line !== ""),
    });
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const { tree } = flame();
    const node = selected();
    const step = (field: number): void => {
      const to = node > 0 ? tree.word(node, field) : tree.word(0, NODE.firstChild);
      if (to !== NONE && to !== 0) {
        choose(to, true);
      }
    };
    switch (event.key) {
      case "ArrowDown":
        step(NODE.firstChild);
        break;
      case "ArrowUp":
        step(NODE.parent);
        break;
      case "ArrowRight":
        step(NODE.nextSibling);
        break;
      case "ArrowLeft": {
        if (node <= 0) {
          break;
        }
        let elder = tree.word(tree.word(node, NODE.parent), NODE.firstChild);
        while (elder !== NONE && elder !== node && tree.word(elder, NODE.nextSibling) !== node) {
          elder = tree.word(elder, NODE.nextSibling);
        }
        if (elder !== NONE) {
          choose(elder, true);
        }
        break;
      }
      case "Enter":
        zoomTo(node);
        break;
      case "+":
      case "w":
        zoom(0.7, 0.5);
        break;
      case "-":
      case "s":
        zoom(1 / 0.7, 0.5);
        break;
      case "a":
        pan(-0.2);
        break;
      case "d":
        pan(0.2);
        break;
      case "0":
        setSpan([0, wholeNs()]);
        break;
      case "n":
      case "N": {
        const forward = event.key === "n";
        for (let i = 1; i < tree.length; i++) {
          const next = (Math.max(node, 0) + (forward ? i : tree.length - i)) % tree.length;
          if (next !== 0 && model.isFound(tree.word(next, NODE.subject))) {
            choose(next, true);
            break;
          }
        }
        break;
      }
      default:
        return;
    }
    event.preventDefault();
  };
  const zoomedIn = (): boolean => span()[1] - span()[0] < wholeNs() * 0.9999;
  return (
    <div class="chart-view">
      <div class="chart-bar">
        <Colours />
        <span class="dim">
          <Show
            when={zoomedIn()}
            fallback={
              <>
                wheel zooms, drag moves, double click zooms to a box
              </>
            }
          >
            {`${time(span()[1] - span()[0])} of ${time(wholeNs())} in sight`}
          </Show>
        </span>
        <Show when={zoomedIn()}>
          <button
            onClick={() => {
              setSpan([0, wholeNs()]);
            }}
          >
            Show all <Key name="0" />
          </button>
        </Show>
      </div>
      <div
        ref={box}
        class="chart"
        role="application"
        aria-label={`Flame graph, ${rows()} levels. The arrow keys move between calls, Enter zooms to one.`}
        tabIndex={0}
        onScroll={() => {
          setTop(box.scrollTop);
        }}
        onKeyDown={onKey}
        onPointerMove={onHover}
        onPointerLeave={() => {
          setHovered(-1);
          setTip(null);
        }}
        onDblClick={() => {
          zoomTo(selected());
        }}
      >
        <canvas ref={canvas} style={{ width: `${size()[0]}px`, height: `${size()[1]}px` }} />
        <div
          class="sizer"
          style={{ height: `${Math.max(0, rows() * FLAME_ROW + FLAME_ROW - size()[1])}px` }}
          aria-hidden="true"
        />
        <Show when={rows() === 0}>
          <p class="nothing over">Nothing was sampled in what is selected.</p>
        </Show>
      </div>
      <Tooltip tip={tip()} />
    </div>
  );
}
