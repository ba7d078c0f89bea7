// The strip at the top of every view: how busy the program was when, and the range that is looked at.
import { Show, createEffect, createMemo, createSignal, on, onMount } from "solid-js";
import type { JSX } from "solid-js";

import { drawTicks, oncePerFrame, surface } from "../chart/canvas";
import { watchDrags } from "../chart/gestures";
import { drawKinds } from "../chart/lanes";
import { ink } from "../colours";
import { time } from "../format";
import { useModel } from "../model";
import { isDark } from "../theme";
import { watchSize } from "./parts";

const HEIGHT = 56;
const AXIS = 16;
const COLUMN_PIXELS = 2;
const TICK_PIXELS = 130;
/** How far one press of an arrow key moves, in parts of the recording. */
const KEY_STEP = 0.02;

export function Overview(): JSX.Element {
  const model = useModel();
  const { state, engine, recording } = model;
  let box!: HTMLDivElement;
  let canvas!: HTMLCanvasElement;
  const [width, setWidth] = createSignal(0);
  const [dragged, setDragged] = createSignal<readonly [number, number] | null>(null);
  const wholeNs = recording.endNs;

  const kinds = createMemo(() => {
    // The strip shows all of the recording: what changes it are the threads, the focus and the search.
    model.selection();
    const columns = Math.floor(width() / COLUMN_PIXELS);
    return columns > 0 ? engine.chartKinds(undefined, 0, 0, wholeNs, columns) : new Float64Array();
  });
  const draw = (): void => {
    const drawn = surface(canvas, width(), HEIGHT);
    if (!drawn) {
      return;
    }
    const { context } = drawn;
    const colours = ink(isDark());
    context.fillStyle = colours.panel;
    context.fillRect(0, 0, width(), HEIGHT);
    drawKinds(drawn, kinds(), AXIS, HEIGHT - AXIS, isDark(), true);
    drawTicks(drawn, { begin: 0, end: wholeNs, whole: wholeNs }, { pixels: TICK_PIXELS, height: AXIS, ...colours });
    const range = dragged() ?? state.range;
    if (range) {
      const [left, right] = [(range[0] / wholeNs) * width(), (range[1] / wholeNs) * width()];
      context.globalAlpha = 0.72;
      context.fillStyle = colours.panel;
      context.fillRect(0, 0, left, HEIGHT);
      context.fillRect(right, 0, width() - right, HEIGHT);
      context.globalAlpha = 1;
      context.fillStyle = colours.accent;
      context.fillRect(left - 1, 0, 2, HEIGHT);
      context.fillRect(right - 1, 0, 2, HEIGHT);
    }
  };
  const redraw = oncePerFrame(draw);
  createEffect(on([kinds, isDark, dragged, () => state.range], redraw));
  const instant = (x: number): number => Math.max(0, Math.min(wholeNs, (x / Math.max(width(), 1)) * wholeNs));
  onMount(() => {
    watchSize(box, () => {
      setWidth(box.clientWidth);
    });
    watchDrags(box, {
      move: (x, _y, start) => {
        const [from, to] = [instant(start.x), instant(x)];
        setDragged([Math.min(from, to), Math.max(from, to)]);
      },
      end: () => {
        const range = dragged();
        setDragged(null);
        if (range) {
          model.selectRange(range[0], range[1]);
        }
      },
      click: () => {
        box.focus();
      },
    });
  });
  const onKey = (event: KeyboardEvent): void => {
    const [begin, end] = state.range ?? [0, wholeNs];
    const step = wholeNs * KEY_STEP;
    const by = event.key === "ArrowRight" ? step : event.key === "ArrowLeft" ? -step : 0;
    if (by === 0 || event.ctrlKey || event.metaKey) {
      return;
    }
    event.preventDefault();
    if (event.shiftKey) {
      model.selectRange(begin, Math.max(begin + step, Math.min(wholeNs, end + by)));
    } else if (event.altKey) {
      model.selectRange(Math.max(0, Math.min(end - step, begin + by)), end);
    } else if (state.range) {
      const bounded = Math.max(-begin, Math.min(by, wholeNs - end));
      model.selectRange(begin + bounded, end + bounded);
    } else {
      model.selectRange(by > 0 ? step : 0, by > 0 ? wholeNs : wholeNs - step);
    }
    const now = state.range ?? [0, wholeNs];
    model.tell(`${time(now[0])} to ${time(now[1])}`);
  };
  return (
    <section class="overview" aria-label="The recording in time">
      <div
        ref={box}
        class="strip"
        role="application"
        tabIndex={0}
        aria-label="Range of time. Drag to choose one; the arrow keys move it, with shift its end, with alt its beginning."
        onKeyDown={onKey}
      >
        <canvas ref={canvas} />
      </div>
      <Show when={dragged() ?? state.range}>
        {(range) => (
          <div class="range">
            <span>{`${time(range()[0])} to ${time(range()[1])}, ${time(range()[1] - range()[0])}`}</span>
            <button
              title="Back to the whole recording (r)"
              onClick={() => {
                model.set({ range: null });
              }}
            >
              all of it
            </button>
          </div>
        )}
      </Show>
    </section>
  );
}
