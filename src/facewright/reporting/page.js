"use strict";

// The timeline of samples and all curves share one moment: images seen.

const curves = JSON.parse(document.getElementById("curves").textContent);
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/* Theme: follows the system until the reader chooses. */

const themeButton = document.getElementById("theme");
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const root = document.documentElement;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark;
  root.dataset.theme = isDark ? "light" : "dark";
});

/* Curves: a line across every chart at the moment, and each curve's value there. */

function nearest(positions, target) {
  let best = 0;
  positions.forEach((position, index) => {
    if (Math.abs(position - target) < Math.abs(positions[best] - target)) best = index;
  });
  return best;
}

function showMoment(images) {
  const share = curves.left + curves.width * Math.min(images / curves.end, 1);
  for (const [name, lines] of Object.entries(curves.charts)) {
    const chart = document.getElementById(`chart-${name}`);
    const cursor = chart.querySelector(".cursor");
    cursor.style.left = `${100 * share}%`;
    cursor.hidden = false;
    chart.querySelectorAll(".legend output").forEach((output, index) => {
      const value = lines[index].y[nearest(lines[index].x, images)];
      output.textContent = value === null ? "not finite" : short.format(value);
    });
  }
}

for (const plot of document.querySelectorAll(".plot")) {
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width - curves.left) / curves.width;
    showMoment(Math.max(0, Math.min(1, share)) * curves.end);
  });
  plot.addEventListener("pointerleave", () => showMoment(restingMoment()));
}

/* Timeline: slider, play button, arrow keys and the strip of sheets. */

const timeline = document.getElementById("timeline");
const frames = timeline ? [...timeline.querySelectorAll(".strip button")] : [];
const slider = document.getElementById("moment");
const playButton = document.getElementById("play");
let player = null;

function restingMoment() {
  return frames.length ? Number(frames[slider.valueAsNumber].dataset.images) : curves.end;
}

function showFrame(index) {
  const frame = frames[index];
  const stage = document.getElementById("stage");
  stage.src = frame.querySelector("img").src;
  stage.alt = frame.querySelector("img").alt;
  document.getElementById("caption").textContent = frame.title;
  slider.value = index;
  slider.setAttribute("aria-valuetext", frame.title);
  frames.forEach((other) => other.toggleAttribute("aria-current", other === frame));
  const strip = frame.closest(".strip");
  const past = frame.offsetLeft - strip.offsetLeft - (strip.clientWidth - frame.offsetWidth) / 2;
  const below = frame.offsetTop - strip.offsetTop - (strip.clientHeight - frame.offsetHeight) / 2;
  strip.scrollTo({ left: past, top: below });
  showMoment(Number(frame.dataset.images));
}

function pause() {
  clearInterval(player);
  player = null;
  playButton.textContent = "Play";
}

function play() {
  if (slider.valueAsNumber === frames.length - 1) showFrame(0);
  playButton.textContent = "Pause";
  player = setInterval(() => {
    if (slider.valueAsNumber === frames.length - 1) pause();
    else showFrame(slider.valueAsNumber + 1);
  }, Math.max(120, 6000 / frames.length));
}

function moveTo(index) {
  pause();
  showFrame(Math.max(0, Math.min(frames.length - 1, index)));
}

/* Findings: the samples of the moment at which each began, taken from the timeline. */

for (const onset of document.querySelectorAll(".onset")) {
  const index = frames.findIndex((frame) => frame.dataset.images === onset.dataset.images);
  const picture = frames[index].querySelector("img").cloneNode();
  onset.prepend(picture);
  onset.querySelector("a").addEventListener("click", () => moveTo(index));
}

if (frames.length) {
  timeline.querySelector(".controls").hidden = false;
  slider.addEventListener("input", () => moveTo(slider.valueAsNumber));
  playButton.addEventListener("click", () => (player === null ? play() : pause()));
  frames.forEach((frame, index) => frame.addEventListener("click", () => moveTo(index)));
  document.addEventListener("keydown", (event) => {
    // The slider and the scrolling tables already know what arrows mean.
    if (event.target.closest("input, .scroll") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") moveTo(slider.valueAsNumber - 1);
    else if (event.key === "ArrowRight") moveTo(slider.valueAsNumber + 1);
    else return;
    event.preventDefault();
  });
  showFrame(frames.length - 1);
} else {
  showMoment(curves.end);
}
