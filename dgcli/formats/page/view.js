// Turns on screen. Each word is an element only where it is in sight, or was: ten hours are 100,000 words.

const root = document.documentElement;
root.classList.add("js");
const main = document.querySelector("main");
const byId = (id) => document.getElementById(id);
const owners = new WeakMap(); // element -> turn
for (const turn of origins) owners.set(turn.el, turn);

const create = (tag, properties = {}, ...children) => {
  const el = Object.assign(document.createElement(tag), properties);
  el.append(...children);
  return el;
};

const clock = (seconds) => {
  const whole = Math.floor(seconds + 0.0005);
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
};

// Bits that the other parts add to words: which are hits, which is heard now.
const decorators = [];
const LOW = 0.7;

const wordElement = (word) => {
  const el = create("span", { className: "w", textContent: word.text });
  const sure = number(word.item.confidence);
  if (sure < LOW) {
    el.classList.add("low");
    el.title = `${Math.round(sure * 100)}% sure`;
  }
  if (Number.isFinite(word.start)) el.dataset.s = word.start.toFixed(3);
  return el;
};

const fill = (turn) => {
  const text = turn.el.querySelector("p"), parts = [];
  let before = "";
  turn.spans = wordsOf(turn).map((word) => {
    if (before && word.text) parts.push(between(before, word.text));
    before = word.text || before;
    const el = wordElement(word);
    parts.push(el);
    return el;
  });
  text.replaceChildren(...parts.filter((part) => part !== ""));
};

// Make the words of a turn elements.
const hydrate = (turn) => {
  if (turn.spans || !(turn.data || turn.words)) return;
  fill(turn);
  for (const decorate of decorators) decorate(turn);
};

const inSight = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    const turn = owners.get(target);
    if (isIntersecting && turn) hydrate(turn);
  }
}, { rootMargin: "600px 0px" });
for (const turn of origins) inSight.observe(turn.el);

const elementOf = (turn) => {
  if (turn.el) return turn.el;
  colourOf(turn);
  const who = create("span", { className: "who" });
  const by = create("div", { className: "by" }, who, " ");
  turn.el = create("div", { className: "turn" }, by, create("p", { dir: "auto" }));
  if (Number.isFinite(turn.start)) {
    const id = `t${turn.start.toFixed(3)}-${numbers.get(voiceKey(turn))}`;
    const place = create("a", { className: "at", id, href: `#${id}`, textContent: clock(turn.start) });
    place.dataset.s = turn.start.toFixed(3);
    by.append(place);
  }
  owners.set(turn.el, turn);
  fill(turn);
  for (const decorate of decorators) decorate(turn);
  return turn.el;
};

// Who speaks: the name and the colour of a turn; one that goes on is not named again.
const label = (turn, before) => {
  const name = nameOf(turn);
  let who = turn.el.querySelector(".who");
  if (!who && name) {
    who = create("span", { className: "who" });
    turn.el.querySelector(".by").prepend(who, " ");
  }
  if (who && who.textContent !== name) who.textContent = name;
  const kind = `turn ${colourOf(turn)}${before && voiceKey(before) === voiceKey(turn) ? " same" : ""}`;
  if (turn.el.className !== kind) turn.el.className = kind;
};

const labelFrom = (first, after) => {
  for (let index = first; index < Math.min(after, state.turns.length); index += 1) label(state.turns[index], state.turns[index - 1]);
};

// Put on screen what a change made of the turns: those that are the same stay as they are.
const sync = (before) => {
  const old = before.turns, now = state.turns;
  if (old !== now) {
    let head = 0, tail = 0;
    while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
    while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
    const fresh = now.slice(head, now.length - tail);
    const gone = new Set(old.slice(head, old.length - tail));
    const next = tail ? now[now.length - tail].el : null;
    for (const turn of fresh) gone.delete(turn);
    for (const turn of gone) { inSight.unobserve(turn.el); turn.el.remove(); }
    for (const turn of fresh) {
      main.insertBefore(elementOf(turn), next);
      inSight.observe(turn.el);
    }
    labelFrom(head, now.length - tail + 1);
  }
  if (before.names === state.names) return;
  labelFrom(0, now.length);
  for (const el of document.querySelectorAll(".lane .name")) {
    const [channel, speaker] = el.dataset.voice.split("/");
    el.textContent = nameOf({ channel: Number(channel), speaker: speaker === "" ? null : Number(speaker) });
  }
};
onChange(sync);
if (Object.keys(state.names).length) sync({ ...state, names: {} });

const turnOf = (node) => {
  const el = node && (node.nodeType === 1 ? node : node.parentElement)?.closest(".turn");
  return el ? owners.get(el) : undefined;
};

const say = (text) => { byId("status").textContent = text; };

// The bar stays at the top of the window: nothing that is scrolled to may end up under it.
const bar = document.querySelector(".bar");
const covered = () => (getComputedStyle(bar).position === "sticky" ? Math.max(0, bar.getBoundingClientRect().bottom) : 0);
const keepClear = () => {
  root.style.scrollPaddingTop = `${getComputedStyle(bar).position === "sticky" ? bar.offsetHeight + 12 : 12}px`;
};
new ResizeObserver(keepClear).observe(bar);
if (matchMedia("(max-width: 44rem)").matches) {
  for (const details of document.querySelectorAll("aside details")) details.open = false;
}
