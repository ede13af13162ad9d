// The corrected transcript in the shape of the API's response.

const SENTENCE = /[.!?…。！？]["'”’)]*$/u;

// The entry of a word, with the speaker that its turn has now.
const entry = (word, speaker) => {
  if ((word.item.speaker ?? null) === speaker) return word.item;
  const item = { ...word.item };
  if (speaker === null) delete item.speaker; else item.speaker = speaker;
  if ("speaker_confidence" in item) item.speaker_confidence = 1; // somebody said so
  return item;
};

// Runs of words that are alike.
const runs = (said, alike) => {
  const groups = [];
  for (const one of said) {
    const last = groups[groups.length - 1];
    if (last && alike(last[last.length - 1], one)) last.push(one); else groups.push([one]);
  }
  return groups;
};

const textOf = (said) => joined(said.map(({ word }) => word.text).filter(Boolean));

const times = (said) => {
  const { start } = said[0].item, { end } = said[said.length - 1].item;
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
};

const withSpeaker = (speaker) => (speaker === null ? {} : { speaker });

const paragraph = (said) => ({
  sentences: runs(said, (before) => !SENTENCE.test(before.word.text)).map((own) => ({ text: textOf(own), ...times(own) })),
  num_words: said.length,
  ...times(said),
  ...withSpeaker(said[0].speaker),
});

const utterance = (said, old) => {
  const made = {
    ...times(said),
    confidence: said.reduce((sum, { item }) => sum + (number(item.confidence) || 0), 0) / said.length,
    channel: old.channel, transcript: textOf(said), words: said.map(({ item }) => item),
    ...withSpeaker(said[0].speaker),
  };
  return made;
};

// Analyses count words: where the words that they counted are now, in a channel.
const recounted = (said, bases) => {
  const spans = said.map(({ word }) => [bases[word.from] + word.first, bases[word.from] + word.after]);
  const first = (index) => {
    let low = 0, high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle][1] > index) high = middle; else low = middle + 1;
    }
    return low;
  };
  // The number of words before the one that stood after `index`.
  const after = (index) => {
    let low = 0, high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle][0] > index) high = middle; else low = middle + 1;
    }
    return low;
  };
  return { first, after };
};

const recount = (value, { first, after }, said) => {
  if (Array.isArray(value)) { for (const item of value) recount(item, { first, after }, said); return; }
  if (!value || typeof value !== "object") return;
  if (Number.isInteger(value.start_word) && Number.isInteger(value.end_word)) {
    const begin = first(value.start_word), end = after(value.end_word);
    const own = said.slice(begin, end), count = value.end_word - value.start_word + 1;
    if (typeof value.text === "string" && (own.length !== count || own.some(({ word }) => word.isNew))) value.text = textOf(own);
    value.start_word = begin;
    value.end_word = Math.max(begin, end - 1);
  }
  for (const item of Object.values(value)) recount(item, { first, after }, said);
};

const corrected = () => {
  const response = structuredClone(page.rest) || { metadata: {}, results: { channels: [] } };
  const { results } = response;
  const channels = Math.max(results.channels.length, ...state.turns.map((turn) => turn.channel + 1));
  const hadUtterances = Array.isArray(results.utterances), utterances = [];
  const bases = [], counts = [];
  for (const turn of origins) {
    bases.push(counts[turn.channel] || 0);
    counts[turn.channel] = (counts[turn.channel] || 0) + wordsOf(turn).length;
  }
  for (let channel = 0; channel < channels; channel += 1) {
    const own = (results.channels[channel] ??= {});
    const alternative = ((own.alternatives ??= [])[0] ??= { confidence: 0 });
    const said = state.turns.filter((turn) => turn.channel === channel).flatMap((turn) =>
      wordsOf(turn).map((word) => ({ word, item: entry(word, turn.speaker), speaker: turn.speaker, turn })));
    const spoken = state.turns.filter((turn) => turn.channel === channel && !turn.data && !turn.words);
    const text = textOf(said);
    alternative.transcript = text || spoken.map((turn) => shown(turn.el.querySelector("p").textContent)).join(" ");
    alternative.words = said.map(({ item }) => item);
    const alike = (name) => (a, b) =>
      a.speaker === b.speaker && (a.word.group[name] === undefined ? a.turn === b.turn : a.word.group[name] === b.word.group[name]);
    if (alternative.paragraphs) {
      const groups = runs(said, alike("p"));
      const block = (group) => (group[0].speaker === null ? "" : `Speaker ${group[0].speaker}: `) + textOf(group);
      alternative.paragraphs = { transcript: `\n${groups.map(block).join("\n\n")}`, paragraphs: groups.map(paragraph) };
    }
    if (hadUtterances) utterances.push(...runs(said, alike("u")).map((group) => utterance(group, { channel })));
    const places = recounted(said, bases);
    for (const item of Array.isArray(alternative.entities) ? alternative.entities : []) {
      if (!Number.isInteger(item?.start_word) || !Number.isInteger(item.end_word)) continue;
      // An entity ends before its end_word.
      const begin = places.first(item.start_word), end = places.after(item.end_word - 1);
      item.start_word = begin;
      item.end_word = Math.max(begin, end);
    }
    if (channel === 0) {
      for (const name of ["topics", "intents", "sentiments"]) recount(results[name], places, said);
    }
  }
  if (hadUtterances) results.utterances = utterances.sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
  response.corrections = { speaker_names: { ...page.names, ...state.names } };
  return response;
};

// Give the response to the reader as a file.
const download = () => {
  const file = new Blob([JSON.stringify(corrected())], { type: "application/json" });
  const name = document.title.replace(/[\\/:*?"<>|]+/g, "-").replace(/\.+$/, "") || "transcript";
  const link = create("a", { href: URL.createObjectURL(file), download: `${name}.corrected.json`, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  downloaded = state;
  say(`Saved as ${link.download}: dg render writes captions and any other format from it.`);
};
