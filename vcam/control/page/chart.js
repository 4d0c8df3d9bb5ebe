// Two minutes of latency and frames a second, one point a second.

import { byId } from "./dom.js";

const POINTS = 120;
const history = [];

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function line(context, values, top, { width, height }) {
  context.beginPath();
  let drawing = false;
  values.forEach((value, k) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const x = ((POINTS - values.length + k) / (POINTS - 1)) * width;
    const y = height - (Math.min(value, top) / top) * (height - 6) - 2;
    drawing ? context.lineTo(x, y) : context.moveTo(x, y);
    drawing = true;
  });
  context.stroke();
}

function rounded(value) {
  const steps = [10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000];
  return steps.find((step) => step >= value) ?? value;
}

function paint() {
  const canvas = byId("chart");
  const box = { width: canvas.clientWidth, height: canvas.clientHeight };
  const scale = devicePixelRatio || 1;
  canvas.width = box.width * scale;
  canvas.height = box.height * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const top = rounded(Math.max(10, ...history.map(({ latency, fps }) => Math.max(latency ?? 0, fps ?? 0))) * 1.05);
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = color("--muted");
  context.strokeStyle = color("--line");
  context.lineWidth = 1;
  for (const share of [0, 0.5, 1]) {
    const y = Math.round(box.height - share * (box.height - 6) - 2) + 0.5;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(box.width, y);
    context.stroke();
    if (share) context.fillText(String(Math.round(top * share)), 2, y + 12);
  }
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.strokeStyle = color("--chart-2");
  line(context, history.map(({ fps }) => fps), top, box);
  context.strokeStyle = color("--chart-1");
  line(context, history.map(({ latency }) => latency), top, box);
}

export function draw(now) {
  history.push({ latency: now.state === "live" ? (now.times.latency?.p50_ms ?? null) : null, fps: now.fps });
  if (history.length > POINTS) history.shift();
  paint();
}

export const redraw = () => history.length && paint();
