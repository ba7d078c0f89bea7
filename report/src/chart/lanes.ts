// How the lanes of the time chart lie under each other, and how one is drawn.
import type { Boxes, ChartFrames } from "../engine/engine";
import { KIND_COUNT, kindNames } from "../engine/engine";
import type { Ink } from "../colours";
import { kindColour } from "../colours";
import { plural } from "../format";
import type { Surface } from "./canvas";
import { Labels, SMALL_FONT } from "./canvas";

export const LANE_ROW = 17;
export const LANE_HEAD = 24;
export const LANE_STRIP = 9;
const LANE_GAP = 12;

export interface Lane {
  readonly thread: number;
  /** Of the thread, 0: all that it did. */
  readonly task: number;
  readonly name: string;
  readonly note: string;
  /** Rows that are drawn; there may be more. */
  readonly rows: number;
  readonly allRows: number;
  readonly top: number;
  readonly height: number;
}

/** Where each lane begins. */
export function layOut(
  lanes: readonly Omit<Lane, "top" | "height">[],
): Lane[] {
  let top = 0;
  return lanes.map((lane) => {
    const height = LANE_HEAD + lane.rows * LANE_ROW + LANE_STRIP + LANE_GAP;
    const placed = { ...lane, top, height };
    top += height;
    return placed;
  });
}

/** The lane at a height, -1 when there is none. */
export function laneAt(lanes: readonly Lane[], y: number): number {
  let [low, high] = [0, lanes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lanes[middle]?.top ?? 0) <= y) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const lane = lanes[low - 1];
  return lane && y < lane.top + lane.height ? low - 1 : -1;
}

export interface LaneLook {
  readonly begin: number;
  readonly end: number;
  readonly top: number;
  readonly dark: boolean;
  readonly ink: Ink;
  readonly searching: boolean;
  colour(fn: number): string;
  label(fn: number): string;
  found(fn: number): boolean;
  readonly hovered: { lane: number; box: number } | null;
  readonly chosen: number;
}

export function drawLane(
  surface: Surface,
  lane: Lane,
  laneIndex: number,
  frames: ChartFrames,
  boxes: Boxes,
  kinds: Float64Array,
  look: LaneLook,
): void {
  const { context, width } = surface;
  const scale = width / Math.max(look.end - look.begin, 1);
  const y = lane.top - look.top;
  const labels = new Labels(context);
  context.textBaseline = "middle";
  context.globalAlpha = 1;
  const rowsTop = y + LANE_HEAD;
  for (let i = 0; i < boxes.count; i++) {
    const row = boxes.row[i] ?? 0;
    if (row >= lane.rows) {
      continue;
    }
    const boxY = rowsTop + row * LANE_ROW;
    if (boxY > surface.height || boxY + LANE_ROW < 0) {
      continue;
    }
    const fn = frames.function(boxes.frames[i] ?? 0);
    const left = ((boxes.begin[i] ?? 0) - look.begin) * scale;
    const right = ((boxes.end[i] ?? 0) - look.begin) * scale;
    const boxWidth = Math.max(right - left - (right - left > 3 ? 0.75 : 0), 0.75);
    const found = look.found(fn);
    context.globalAlpha = look.searching && !found ? 0.35 : 1;
    context.fillStyle = look.colour(fn);
    context.fillRect(left, boxY, boxWidth, LANE_ROW - 1);
    if (found) {
      context.fillStyle = look.ink.found;
      context.fillRect(left, boxY + LANE_ROW - 3, boxWidth, 2);
    }
    if ((boxes.merged[i] ?? 1) === 1) {
      context.fillStyle = look.ink.text;
      labels.draw(look.label(fn), Math.max(left, 0) + 4, Math.min(right, width) - 2, boxY + LANE_ROW / 2);
    }
    const hovered = look.hovered !== null && look.hovered.lane === laneIndex && look.hovered.box === i;
    if (hovered || (fn === look.chosen && right - left > 3)) {
      context.globalAlpha = 1;
      context.strokeStyle = hovered ? look.ink.text : look.ink.accent;
      context.lineWidth = hovered ? 1 : 1.5;
      context.strokeRect(left + 0.75, boxY + 0.75, Math.max(right - left - 2, 1), LANE_ROW - 2.5);
    }
  }
  context.globalAlpha = 1;
  drawKinds(surface, kinds, rowsTop + lane.rows * LANE_ROW + 2, LANE_STRIP - 2, look.dark, false);
  // The name lies over whatever is scrolled under it.
  context.fillStyle = look.ink.background;
  context.fillRect(0, y, width, LANE_HEAD - 2);
  context.fillStyle = look.ink.text;
  context.font = `600 ${SMALL_FONT}`;
  context.fillText(lane.name, 8, y + LANE_HEAD / 2);
  const nameWidth = context.measureText(lane.name).width;
  context.fillStyle = look.ink.dim;
  context.font = SMALL_FONT;
  const more = lane.allRows > lane.rows && lane.rows > 0 ? ` · ${plural(lane.allRows - lane.rows, "deeper level")} not drawn` : "";
  context.fillText(`${lane.note}${more}`, 8 + nameWidth + 10, y + LANE_HEAD / 2);
}

/**
 * Time by kind, pixel by pixel. In a strip each pixel has the colour of what most of it was; stacked, the kinds lie on
 * each other to scale with the busiest pixel.
 */
export function drawKinds(
  surface: Surface,
  kinds: Float64Array,
  top: number,
  height: number,
  dark: boolean,
  stacked: boolean,
): void {
  const { context, width } = surface;
  const columns = kinds.length / KIND_COUNT;
  if (columns === 0) {
    return;
  }
  const columnWidth = width / columns;
  let most = 0;
  for (let column = 0; stacked && column < columns; column++) {
    let sum = 0;
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      sum += kinds[column * KIND_COUNT + kind] ?? 0;
    }
    most = Math.max(most, sum);
  }
  for (let column = 0; column < columns; column++) {
    let [y, heaviest, heaviestKind] = [top + height, 0, -1];
    for (const kind of stackOrder) {
      const amount = kinds[column * KIND_COUNT + kind] ?? 0;
      if (amount <= 0) {
        continue;
      }
      if (stacked) {
        const part = (amount / most) * height;
        context.fillStyle = kindColour(kindNames[kind] ?? "unknown", dark);
        context.fillRect(column * columnWidth, y - part, columnWidth + 0.3, part);
        y -= part;
      } else if (amount > heaviest) {
        [heaviest, heaviestKind] = [amount, kind];
      }
    }
    if (!stacked && heaviestKind >= 0) {
      context.fillStyle = kindColour(kindNames[heaviestKind] ?? "unknown", dark);
      context.fillRect(column * columnWidth, top, columnWidth + 0.3, height);
    }
  }
}

/** Work at the bottom, waiting on top. */
const stackOrder = (["python", "native", "gc", "unknown", "gil", "lock", "call"] as const).map((kind) =>
  kindNames.indexOf(kind),
);
