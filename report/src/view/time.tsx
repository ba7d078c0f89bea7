// The chart in order of time: a lane for each thread and for each task that it ran, under it a strip of what the thread was
// doing. What is dragged over becomes the range that all other views follow.
import { For, Show, createEffect, createMemo, createSignal, on, onMount } from "solid-js";
import type { JSX } from "solid-js";

import { bounded, drawTicks, oncePerFrame, surface } from "../chart/canvas";
import type { Surface } from "../chart/canvas";
import { moved, watchDrags, watchWheel, zoomed } from "../chart/gestures";
import type { Lane } from "../chart/lanes";
import { LANE_HEAD, LANE_ROW, drawLane, laneAt, layOut } from "../chart/lanes";
import { Palette, ink, kindColour, kindText } from "../colours";
import type { Boxes, ChartFrames, Kind } from "../engine/engine";
import { kindNames } from "../engine/engine";
import { share, time } from "../format";
import { useModel } from "../model";
import { isDark } from "../theme";
import { Key, watchSize } from "./parts";
import { Tooltip } from "./tooltip";
import type { Tip } from "./tooltip";

const AXIS = 24;
/** Rows of a lane when there are several of them; the rest is told in its head. */
const ROWS_OF_MANY = 14;
const ROWS_OF_A_TASK = 8;
const TICK_PIXELS = 110;

interface Drawn {
  readonly boxes: Boxes;
  readonly kinds: Float64Array;
}

export function TimeView(): JSX.Element {
  const model = useModel();
  const { recording, state, engine } = model;
  let box!: HTMLDivElement;
  let canvas!: HTMLCanvasElement;
  const [size, setSize] = createSignal<readonly [number, number]>([0, 0]);
  const [top, setTop] = createSignal(0);
  const [tip, setTip] = createSignal<Tip | null>(null);
  const [hovered, setHovered] = createSignal<{ lane: number; box: number } | null>(null);
  const [dragged, setDragged] = createSignal<readonly [number, number] | null>(null);
  const wholeNs = recording.endNs;
  const leastNs = Math.max(100, Math.min(recording.facts.intervalNs, wholeNs / 10));
  const [span, setSpan] = createSignal<readonly [number, number]>([0, wholeNs]);

  const frames = createMemo((): ChartFrames => {
    model.folded();
    return engine.chartFrames();
  });
  const lanes = createMemo((): Lane[] => {
    const seen = model.threads();
    const shapes = frames();
    const many = seen.filter((summary) => !summary.idle).length > 1;
    return layOut(
      seen.flatMap(({ thread, idle, running }) => {
        const allRows = engine.chartRows(shapes, thread);
        const tasks = engine.chartTasks(shapes, thread);
        // One alone is what its thread is.
        const apart = tasks.length > 1 ? tasks : [];
        return [
          {
            thread,
            task: 0,
            name: model.threadLabel(thread),
            note: idle ? "idle" : `${time(running.ns)} running`,
            rows: idle ? Math.min(1, allRows) : many || apart.length > 0 ? Math.min(ROWS_OF_MANY, allRows) : allRows,
            allRows,
          },
          ...apart.map(({ task, coroutine, rows, ns }) => ({
            thread,
            task,
            name: coroutine ? `task ${task}: ${recording.function(coroutine).name}` : "further tasks",
            note: time(ns),
            rows: Math.min(ROWS_OF_A_TASK, rows),
            allRows: rows,
          })),
        ];
      }),
    );
  });
  const sheet = createMemo(() => {
    const last = lanes().at(-1);
    return AXIS + (last ? last.top + last.height : 0);
  });
  const palette = createMemo(() => {
    model.folded();
    return new Palette(recording, (fn) => engine.role(fn), isDark());
  });

  // Boxes that were computed for the span in sight.
  let kept = new Map<Lane, Drawn>();
  let keptFor = "";
  let keptVersion: unknown;
  const drawnOf = (lane: Lane): Drawn => {
    const wanted = `${span()[0]} ${span()[1]} ${size()[0]}`;
    if (keptFor !== wanted || keptVersion !== frames()) {
      kept = new Map();
      keptFor = wanted;
      keptVersion = frames();
    }
    let drawn = kept.get(lane);
    if (!drawn) {
      const [begin, end] = span();
      const pixel = (end - begin) / Math.max(size()[0], 1);
      drawn = {
        boxes: engine.chartBoxes(frames(), lane.thread, lane.task, begin, end, pixel, lane.rows),
        kinds: engine.chartKinds(lane.thread, lane.task, begin, end, Math.max(1, Math.floor(size()[0]))),
      };
      kept.set(lane, drawn);
    }
    return drawn;
  };

  const drawAxis = (drawn: Surface): void => {
    const { context, width } = drawn;
    const colours = ink(isDark());
    const [begin, end] = span();
    context.fillStyle = colours.panel;
    context.fillRect(0, 0, width, AXIS);
    drawTicks(drawn, { begin, end, whole: wholeNs }, { pixels: TICK_PIXELS, height: AXIS, ...colours });
    context.fillStyle = colours.line;
    context.fillRect(0, AXIS - 1, width, 1);
  };
  const drawRange = (drawn: Surface): void => {
    const range = dragged() ?? state.range;
    if (range === null) {
      return;
    }
    const { context, width, height } = drawn;
    const colours = ink(isDark());
    const [begin, end] = span();
    const left = ((range[0] - begin) / (end - begin)) * width;
    const right = ((range[1] - begin) / (end - begin)) * width;
    context.fillStyle = colours.range;
    context.fillRect(left, 0, right - left, height);
    context.fillStyle = colours.accent;
    context.fillRect(left - 0.5, 0, 1, height);
    context.fillRect(right - 0.5, 0, 1, height);
  };
  const draw = (): void => {
    const [width, height] = size();
    const drawn = surface(canvas, width, height);
    if (!drawn) {
      return;
    }
    const colours = ink(isDark());
    drawn.context.globalAlpha = 1;
    drawn.context.fillStyle = colours.background;
    drawn.context.fillRect(0, 0, width, height);
    const all = lanes();
    for (let i = Math.max(0, laneAt(all, top())); i < all.length; i++) {
      const lane = all[i];
      if (!lane || lane.top - top() + AXIS > height) {
        break;
      }
      const { boxes, kinds } = drawnOf(lane);
      drawLane(drawn, lane, i, frames(), boxes, kinds, {
        begin: span()[0],
        end: span()[1],
        top: top() - AXIS,
        dark: isDark(),
        ink: colours,
        searching: model.found().active,
        colour: (fn) => palette().of(fn),
        label: (fn) => recording.function(fn).name,
        found: (fn) => model.isFound(fn),
        hovered: hovered(),
        chosen: state.selected ?? -1,
      });
    }
    drawRange(drawn);
    drawAxis(drawn);
  };
  const redraw = oncePerFrame(draw);
  createEffect(
    on(
      [span, size, top, lanes, palette, model.found, hovered, dragged, () => state.range, () => state.selected],
      redraw,
    ),
  );
  createEffect(
    on(lanes, () => {
      setHovered(null);
    }),
  );

  const instant = (x: number): number => {
    const [begin, end] = span();
    return Math.max(0, Math.min(wholeNs, begin + (x / Math.max(size()[0], 1)) * (end - begin)));
  };
  /** The lane and box under a point of the element. */
  const boxAt = (x: number, y: number): { lane: number; box: number } | null => {
    const at = y - AXIS + top();
    const index = y < AXIS ? -1 : laneAt(lanes(), at);
    const lane = lanes()[index];
    if (!lane) {
      return null;
    }
    const row = Math.floor((at - lane.top - LANE_HEAD) / LANE_ROW);
    const { boxes } = drawnOf(lane);
    const ns = instant(x);
    for (let i = 0; i < boxes.count; i++) {
      if (boxes.row[i] === row && ns >= (boxes.begin[i] ?? 0) && ns < (boxes.end[i] ?? 0)) {
        return { lane: index, box: i };
      }
    }
    return { lane: index, box: -1 };
  };
  const zoom = (factor: number, part: number): void => {
    setSpan(zoomed({ begin: span()[0], end: span()[1] }, factor, part, wholeNs, leastNs));
  };
  const pan = (parts: number): void => {
    setSpan(moved({ begin: span()[0], end: span()[1] }, parts, wholeNs));
  };
  const choose = (at: { lane: number; box: number }): void => {
    const lane = lanes()[at.lane];
    if (!lane || at.box < 0) {
      return;
    }
    const { boxes } = drawnOf(lane);
    const frame = boxes.frames[at.box] ?? 0;
    const fn = frames().function(frame);
    model.look({ function: fn, path: frames().path(frame), thread: lane.thread });
  };

  onMount(() => {
    watchSize(box, () => {
      setSize([box.clientWidth, box.clientHeight]);
    });
    watchWheel(box, zoom, pan);
    let grabbed: { span: readonly [number, number]; top: number } | null = null;
    watchDrags(box, {
      move: (x, y, start, event) => {
        setTip(null);
        if (event.shiftKey || grabbed) {
          grabbed ??= { span: span(), top: box.scrollTop };
          const length = grabbed.span[1] - grabbed.span[0];
          const by = ((start.x - x) / Math.max(size()[0], 1)) * length;
          setSpan(bounded(grabbed.span[0] + by, grabbed.span[1] + by, wholeNs, length));
          box.scrollTop = grabbed.top + start.y - y;
        } else {
          const [from, to] = [instant(start.x), instant(x)];
          setDragged([Math.min(from, to), Math.max(from, to)]);
        }
      },
      end: () => {
        const range = dragged();
        grabbed = null;
        setDragged(null);
        if (range) {
          model.selectRange(range[0], range[1]);
        }
      },
      click: (x, y) => {
        const at = boxAt(x, y);
        if (at) {
          choose(at);
        }
        box.focus();
      },
    });
  });

  const onHover = (event: PointerEvent): void => {
    const place = box.getBoundingClientRect();
    const [x, y] = [event.clientX - place.left, event.clientY - place.top];
    const at = event.buttons === 0 ? boxAt(x, y) : null;
    const lane = at ? lanes()[at.lane] : undefined;
    setHovered(at && at.box >= 0 ? at : null);
    if (!at || !lane) {
      setTip(null);
      return;
    }
    const { boxes, kinds } = drawnOf(lane);
    const doing = kindsAt(kinds, Math.floor(x));
    if (at.box < 0) {
      setTip(
        doing === ""
          ? null
          : { x: event.clientX, y: event.clientY, title: lane.name, lines: [time(instant(x)), doing] },
      );
      return;
    }
    const fn = frames().function(boxes.frames[at.box] ?? 0);
    const merged = boxes.merged[at.box] ?? 1;
    const length = (boxes.end[at.box] ?? 0) - (boxes.begin[at.box] ?? 0);
    setTip({
      x: event.clientX,
      y: event.clientY,
      title: merged > 1 ? `${merged} calls, the longest ${recording.function(fn).name}` : recording.function(fn).name,
      lines: [
        recording.place(fn),
        `${time(length)} from ${time(boxes.begin[at.box] ?? 0)}, ${share(length / Math.max(model.whole().ns, 1))}`,
        doing,
      ].filter((line) => line !== ""),
    });
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    switch (event.key) {
      case "+":
      case "w":
        zoom(0.7, 0.5);
        break;
      case "-":
      case "s":
        zoom(1 / 0.7, 0.5);
        break;
      case "ArrowLeft":
      case "a":
        pan(-0.2);
        break;
      case "ArrowRight":
      case "d":
        pan(0.2);
        break;
      case "ArrowDown":
        box.scrollTop += LANE_ROW * 3;
        break;
      case "ArrowUp":
        box.scrollTop -= LANE_ROW * 3;
        break;
      case "0":
        setSpan([0, wholeNs]);
        break;
      case "Enter":
        model.selectRange(span()[0], span()[1]);
        model.tell("The range is what is in sight.");
        break;
      case "z":
        if (state.range) {
          setSpan(bounded(state.range[0], state.range[1], wholeNs, leastNs));
        }
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  const zoomedIn = (): boolean => span()[1] - span()[0] < wholeNs * 0.9999;
  return (
    <div class="chart-view">
      <div class="chart-bar">
        <ul class="legend" aria-label="Colours of the strips">
          <For each={kindNames}>
            {(kind: Kind) => (
              <li>
                <i class="swatch" style={{ background: kindColour(kind, isDark()) }} />
                {kindText[kind]}
              </li>
            )}
          </For>
        </ul>
        <Show when={state.range}>
          {(range) => (
            <button
              onClick={() => {
                setSpan(bounded(range()[0], range()[1], wholeNs, leastNs));
              }}
            >
              Zoom to the range <Key name="z" />
            </button>
          )}
        </Show>
        <Show when={zoomedIn()}>
          <button
            onClick={() => {
              setSpan([0, wholeNs]);
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
        aria-label={`What ran when, ${lanes().length} lanes. The arrow keys move, plus and minus zoom, Enter makes what is in sight the range.`}
        tabIndex={0}
        onScroll={() => {
          setTop(box.scrollTop);
        }}
        onKeyDown={onKey}
        onPointerMove={onHover}
        onPointerLeave={() => {
          setHovered(null);
          setTip(null);
        }}
        onDblClick={() => {
          const at = hovered();
          const lane = at ? lanes()[at.lane] : undefined;
          if (at && lane) {
            const { boxes } = drawnOf(lane);
            setSpan(bounded(boxes.begin[at.box] ?? 0, boxes.end[at.box] ?? wholeNs, wholeNs, leastNs));
          }
        }}
      >
        <canvas ref={canvas} style={{ width: `${size()[0]}px`, height: `${size()[1]}px` }} />
        <div class="sizer" style={{ height: `${Math.max(0, sheet() - size()[1])}px` }} aria-hidden="true" />
        <Show when={lanes().length === 0}>
          <p class="nothing over">Nothing was sampled in what is selected.</p>
        </Show>
      </div>
      <Tooltip tip={tip()} />
    </div>
  );
}

/** What a thread was doing in one pixel of its strip. */
function kindsAt(kinds: Float64Array, column: number): string {
  let [heaviest, most] = [-1, 0];
  for (let kind = 0; kind < kindNames.length; kind++) {
    const amount = kinds[column * kindNames.length + kind] ?? 0;
    if (amount > most) {
      [heaviest, most] = [kind, amount];
    }
  }
  const name = kindNames[heaviest];
  return name === undefined ? "" : kindText[name];
}
