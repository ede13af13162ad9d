// The transcript as values. What is on screen is made from them, so that undoing is going back to earlier ones.
//
// A turn: { channel, speaker, from: number of the paragraph it comes from, data: words as they came, or null,
//           words: words, or null where they are still data, start, end, el: its element, or null }
// A word: { text, start, end, item: its entry in the response, from, first, after: the words [first, after) of
//           paragraph `from` that it stands for, group: { u, p }, isNew: whether somebody wrote it }

// Scripts without spaces between words, as the captions of dg have them.
const UNSPACED =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u3190-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff9f\u{20000}-\u{3fffd}]/u;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;

const shown = (text) => text.replace(CONTROLS, "").replace(/\s+/gu, " ").trim();
const number = (value) => (typeof value === "number" ? value : NaN);

// The space between two words.
const between = (before, after) => {
  if (!before || !after) return before ? " " : "";
  const last = Array.from(before.slice(-2)).pop(), first = String.fromCodePoint(after.codePointAt(0));
  return UNSPACED.test(last) && UNSPACED.test(first) ? "" : " ";
};

const joined = (texts) => {
  let text = "";
  texts.forEach((word, at) => { text += (at ? between(texts[at - 1], word) : "") + word; });
  return text;
};

const page = JSON.parse(document.querySelector("#data").textContent);

const turnFrom = (el, from) => {
  const { channel, speaker, words, s, e } = el.dataset;
  return {
    channel: Number(channel),
    speaker: speaker === undefined ? null : Number(speaker),
    from, data: words || null, words: null, el,
    start: s === undefined ? NaN : Number(s),
    end: e === undefined ? NaN : Number(e),
  };
};

const origins = Array.from(document.querySelectorAll(".turn"), turnFrom);
const several = page.channels === null ? origins.some((turn) => turn.channel > 0) : page.channels > 1;

const at = (column, index) => (Array.isArray(column) ? column[index] : column);

const unpacked = (turn) => {
  const { n, items, u, p } = JSON.parse(turn.data);
  const names = Object.keys(items), words = [];
  for (let index = 0; index < n; index += 1) {
    const item = {};
    for (const name of names) {
      const value = at(items[name], index);
      if (value !== null && value !== undefined) item[name] = value;
    }
    const said = typeof item.punctuated_word === "string" && item.punctuated_word.trim();
    words.push({
      text: shown(said ? item.punctuated_word : String(item.word ?? "")),
      start: number(item.start), end: number(item.end), item,
      from: turn.from, first: index, after: index + 1,
      group: { u: at(u, index), p: at(p, index) },
    });
  }
  return words;
};

// The words of a turn; they are unpacked when they are first needed, since a page may hold ten hours.
const wordsOf = (turn) => {
  if (!turn.words) turn.words = turn.data ? unpacked(turn) : [];
  return turn.words;
};

// A turn with other words or another speaker; it gets an element of its own.
const changed = (turn, change) => {
  const made = { ...turn, words: wordsOf(turn), ...change, data: null, el: null };
  made.start = made.words.length ? made.words[0].start : NaN;
  made.end = made.words.length ? made.words[made.words.length - 1].end : NaN;
  return made;
};

// Who speaks, in words. Names belong to speakers; to channels where nothing else is known (as --speaker has it).
const nameKey = (voice) => (voice.speaker === null ? (several ? voice.channel : null) : voice.speaker);
const defaultName = (voice) => {
  const key = nameKey(voice);
  if (key === null) return "";
  return page.names[key] || (voice.speaker === null ? `Channel ${key}` : `Speaker ${key}`);
};
const nameOf = (voice) => {
  const key = nameKey(voice);
  if (key === null) return "";
  const name = state.names[key] || defaultName(voice);
  return several && voice.speaker !== null ? `Channel ${voice.channel}, ${name}` : name;
};
const voiceKey = (voice) => `${voice.channel}/${voice.speaker ?? ""}`;

// Every voice that is heard, in order, with its number.
const numbers = new Map();
const colourOf = (voice) => {
  const key = voiceKey(voice);
  if (!numbers.has(key)) numbers.set(key, numbers.size);
  return `v${numbers.get(key) % 8}`;
};
const voices = () => {
  const heard = new Map();
  for (const { channel, speaker } of state.turns) {
    const key = voiceKey({ channel, speaker });
    if (!heard.has(key)) heard.set(key, { channel, speaker });
  }
  return Array.from(heard.values());
};

// Names are kept by the browser for this recording, where it lets a page keep something.
const keptAs = `dg:${document.body.dataset.request || location.pathname}`;
const keptNames = () => {
  try {
    const names = JSON.parse(localStorage.getItem(keptAs)) || {};
    return Object.fromEntries(Object.entries(names).filter(([, name]) => typeof name === "string" && name));
  } catch { return {}; }
};

let state = { turns: origins, names: keptNames() };
for (const turn of origins) colourOf(turn);
const past = [], future = [];
let grouped = null; // what the last change was, where the next may belong to it
let downloaded = state;
let isKept = false; // whether the browser keeps the corrections
const listeners = [];
const onChange = (listener) => listeners.push(listener);

const enter = (next) => {
  const before = state;
  state = next;
  try { localStorage.setItem(keptAs, JSON.stringify(state.names)); } catch { /* the page works without */ }
  for (const listener of listeners) listener(before);
};

// Make a change that can be undone. Changes of one group (a name that is being typed) are undone together.
const commit = (change, group = null) => {
  if (group === null || group !== grouped) past.push(state);
  grouped = group;
  future.length = 0;
  enter({ ...state, ...change });
};

const replaceTurn = (turn, made) => {
  const place = state.turns.indexOf(turn);
  if (place < 0) return;
  commit({ turns: [...state.turns.slice(0, place), ...made, ...state.turns.slice(place + 1)] });
};

const undo = () => {
  if (!past.length) return false;
  future.push(state);
  grouped = null;
  enter(past.pop());
  return true;
};

const redo = () => {
  if (!future.length) return false;
  past.push(state);
  grouped = null;
  enter(future.pop());
  return true;
};
