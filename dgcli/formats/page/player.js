// The recording: playing it, following it in the text, and captions on it where it is a video.

let media = document.querySelector("audio, video");
const transport = document.querySelector(".transport");
const lanes = document.querySelector(".lanes");
const head = document.querySelector(".playhead");
const seekBar = byId("seek"), playButton = byId("play"), speed = byId("speed");
let length = lanes ? Number(lanes.dataset.duration) : 0;
const isReady = () => Boolean(media && media.currentSrc);
const isPlaying = () => isReady() && !media.paused && !media.ended;

// Turns in the order of time, and the times at which they begin.
let timed = [];
const arrange = () => {
  timed = state.turns.filter((turn) => Number.isFinite(turn.start)).sort((a, b) => a.start - b.start);
};
arrange();

const lastBegun = (items, time) => {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].start <= time) low = middle + 1; else high = middle;
  }
  return low - 1;
};

// The last word that has begun at a time, as [turn, its number]; several voices may speak at once.
const wordAt = (time) => {
  const last = lastBegun(timed, time);
  let best = null, begun = -1;
  for (let index = last; index >= 0 && index > last - 8; index -= 1) {
    const words = wordsOf(timed[index]);
    const place = lastBegun(words, time);
    if (place >= 0 && words[place].start > begun) { best = [timed[index], place]; begun = words[place].start; }
    if (timed[index].end <= time && begun >= 0) break;
  }
  return best;
};

let now = null, asked = NaN, marked = null;
const mark = (place) => {
  if (marked) marked.classList.remove("now");
  if (now && now[0].el) now[0].el.classList.remove("heard");
  now = place;
  marked = null;
  if (!place) return;
  hydrate(place[0]);
  marked = place[0].spans?.[place[1]] ?? null;
  marked?.classList.add("now");
};

const showTime = (time) => {
  byId("time").textContent = clock(time);
  if (document.activeElement !== seekBar || isPlaying()) seekBar.value = time;
  seekBar.setAttribute("aria-valuetext", clock(time));
  if (head && length) {
    head.style.display = "block";
    head.firstElementChild.style.left = `${Math.min(100, (100 * time) / length)}%`;
  }
};

const reveal = (el, block = "center") => {
  const box = el.getBoundingClientRect();
  if (box.top < covered() + 8 || box.bottom > innerHeight - 40) el.scrollIntoView({ block });
};

const show = (time, follow, place = wordAt(time)) => {
  showTime(time);
  if (place && now && place[0] === now[0] && place[1] === now[1]) return;
  mark(place);
  if (follow && marked && !isTyping()) reveal(marked);
};

const seek = (time, play, place) => {
  show(time, false, place);
  if (!isReady()) return;
  media.currentTime = asked = time;
  if (play) media.play().catch(() => {});
};

const toggle = () => {
  if (!isReady()) { say("Choose the recording first."); byId("recording")?.focus(); return; }
  if (media.paused) media.play().catch(() => {}); else media.pause();
};
const jump = (seconds) => {
  const from = isReady() ? media.currentTime : now ? wordsOf(now[0])[now[1]].start : 0;
  seek(Math.max(0, Math.min(length || Infinity, from + seconds)), false);
};
const faster = (step) => {
  speed.selectedIndex = Math.max(0, Math.min(speed.options.length - 1, speed.selectedIndex + step));
  speed.dispatchEvent(new Event("change"));
};
speed.addEventListener("change", () => {
  if (media) media.defaultPlaybackRate = media.playbackRate = Number(speed.value);
  say(`Speed ${speed.value}`);
});

const tick = () => {
  if (!isPlaying()) return;
  show(media.currentTime + 0.02, true);
  requestAnimationFrame(tick);
};

const usable = () => {
  const told = media.duration;
  if (Number.isFinite(told) && told > 0) length = Math.max(length, told);
  seekBar.max = length || 1;
  byId("length").textContent = clock(length);
  media.playbackRate = Number(speed.value);
};

const connect = () => {
  transport.hidden = false;
  if (media.tagName === "AUDIO") media.controls = false;
  const paint = () => {
    playButton.setAttribute("aria-label", isPlaying() ? "Pause" : "Play");
    playButton.classList.toggle("playing", isPlaying());
  };
  media.addEventListener("play", () => { paint(); requestAnimationFrame(tick); });
  media.addEventListener("pause", paint);
  media.addEventListener("ended", paint);
  media.addEventListener("loadedmetadata", usable);
  media.addEventListener("error", () => say("The recording cannot be played here."));
  media.addEventListener("timeupdate", () => {
    // Several words may begin at one moment: the one that was asked for stays marked.
    if (media.paused && Math.abs(media.currentTime - asked) < 0.03) { showTime(media.currentTime); return; }
    show(media.currentTime + 0.02, !media.paused);
  });
  paint();
  if (media.readyState > 0) usable();
  if (media.tagName === "VIDEO") caption();
};

// Captions: the cues of dg where it made some, else lines of our own, which follow corrections too.
const LONGEST = 84, BREAK = /[.!?…。！？]["'”’»)\]」』]*$/u;
const chunks = (turn) => {
  const cues = [];
  let own = [];
  const close = () => {
    if (own.length) cues.push([own[0].start, own[own.length - 1].end, joined(own.map((word) => word.text))]);
    own = [];
  };
  for (const word of wordsOf(turn)) {
    if (!Number.isFinite(word.start) || !Number.isFinite(word.end) || !word.text) continue;
    const size = own.reduce((sum, said) => sum + said.text.length + 1, 0);
    const last = own[own.length - 1];
    if (last && (size + word.text.length > LONGEST || word.start - last.end > 1.5 || (BREAK.test(last.text) && size > 20))) close();
    own.push(word);
  }
  close();
  const name = nameOf(turn);
  if (cues.length && name) cues[0][2] = `[${name}] ${cues[0][2]}`;
  return cues;
};

let track = null;
function caption() {
  if (!media || media.tagName !== "VIDEO" || typeof VTTCue === "undefined") return;
  track ??= media.addTextTrack("captions", "Captions", root.lang || "en");
  track.mode = "showing";
  for (const cue of Array.from(track.cues)) track.removeCue(cue);
  const pristine = page.cues && state.turns === origins && !Object.keys(state.names).length;
  const cues = pristine ? page.cues : state.turns.flatMap(chunks);
  for (const [start, end, text] of cues) {
    if (end > start) track.addCue(new VTTCue(start, end, text.replace(/&/g, "&amp;").replace(/</g, "&lt;")));
  }
}

onChange(() => { arrange(); now = null; if (marked) { marked.classList.remove("now"); marked = null; } caption(); });
decorators.push((turn) => {
  if (now && now[0] === turn) mark(now);
});

if (media) connect();
const chosen = byId("recording");
chosen?.addEventListener("change", () => {
  const file = chosen.files[0];
  if (!file) return;
  const kind = file.type.startsWith("video/") ? "video" : "audio";
  if (media) { media.pause(); media.remove(); track = null; }
  media = create(kind, { controls: kind === "video", preload: "metadata", src: URL.createObjectURL(file) });
  bar.prepend(media);
  connect();
});

playButton.addEventListener("click", toggle);
byId("back").addEventListener("click", () => jump(-5));
byId("on").addEventListener("click", () => jump(5));
seekBar.addEventListener("input", () => seek(Number(seekBar.value), false));

document.addEventListener("click", (event) => {
  const place = event.target.closest(".at[data-s]");
  const lane = event.target.closest(".lane svg, .lane .blocks");
  if (place) seek(Number(place.dataset.s), true);
  else if (lane && length) {
    const box = lane.getBoundingClientRect();
    seek((Number(lanes.dataset.duration) * (event.clientX - box.left)) / box.width, false);
    if (marked) marked.scrollIntoView({ block: "center" });
  } else if (!isEditing() && event.target.classList.contains("w") && getSelection().isCollapsed) {
    const turn = turnOf(event.target), index = turn.spans.indexOf(event.target);
    const { start } = wordsOf(turn)[index];
    if (Number.isFinite(start)) seek(start, true, [turn, index]);
  }
});

// Whether what is typed belongs to a field.
const isTyping = () => {
  const el = document.activeElement;
  return Boolean(el && (el.isContentEditable || el.matches("textarea, select, input:not([type=range], [type=checkbox], [type=file])")));
};

const stepWord = (step) => {
  if (!timed.length) return;
  let place = now;
  if (!place) place = [timed[0], 0];
  else {
    const [turn, index] = place;
    const order = timed.indexOf(turn), inside = index + step;
    if (inside >= 0 && inside < wordsOf(turn).length) place = [turn, inside];
    else {
      const next = timed[order + step];
      if (!next) return;
      place = [next, step > 0 ? 0 : wordsOf(next).length - 1];
    }
  }
  const word = wordsOf(place[0])[place[1]];
  if (!word) return;
  seek(word.start, false, place);
  if (marked) reveal(marked, "nearest");
};

// Keys, from anywhere but a field: what a browser does with a key on a button stays so.
const keys = {
  " ": toggle, k: toggle, j: () => jump(-5), l: () => jump(5), "<": () => faster(-1), ">": () => faster(1),
  ArrowLeft: () => stepWord(main.dir === "rtl" ? 1 : -1), ArrowRight: () => stepWord(main.dir === "rtl" ? -1 : 1),
};
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || isTyping()) return;
  const el = document.activeElement;
  if ((event.key === " " || event.key === "Enter") && el?.matches("button, summary, a, [type=checkbox], [type=file]")) {
    if (event.key === "Enter" || !el.matches("a")) return;
  }
  if (event.key.startsWith("Arrow") && el?.matches("[type=range], video")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key !== " " && key.length === 1 && !byId("single").checked) return;
  if (!keys[key]) return;
  event.preventDefault();
  keys[key]();
});
