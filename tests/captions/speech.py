"""Responses as Deepgram makes them of speech: text that people say, with times as they come.

The last word before a pause is shown for 0.5 s at most, some models know times to 80 ms only, and speakers on
channels of their own begin before others have ended. All is drawn from a seed: the same each time.
"""

import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

Turns = Sequence[tuple[int, str]]
Said = list[dict[str, Any]]


def _turns(text: str) -> Turns:
    """Who says what: each turn begins with a number at the beginning of a line."""
    turns = (turn.split(None, 1) for turn in re.split(r"\n(?=\d)", text))
    return tuple((int(who), " ".join(said.split())) for who, said in turns)


# Abraham Lincoln, 1863; every other text is made up.
SPEECH = """\
Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in
Liberty, and dedicated to the proposition that all men are created equal. Now we are engaged in a great
civil war, testing whether that nation, or any nation so conceived and so dedicated, can long endure. We
are met on a great battlefield of that war. We have come to dedicate a portion of that field, as a final
resting place for those who here gave their lives that that nation might live. It is altogether fitting
and proper that we should do this. But, in a larger sense, we can not dedicate, we can not consecrate,
we can not hallow this ground. The brave men, living and dead, who struggled here, have consecrated it,
far above our poor power to add or detract. The world will little note, nor long remember what we say
here, but it can never forget what they did here. It is for us the living, rather, to be dedicated here
to the unfinished work which they who fought here have thus far so nobly advanced. It is rather for us
to be here dedicated to the great task remaining before us, that from these honored dead we take
increased devotion to that cause for which they gave the last full measure of devotion, that we here
highly resolve that these dead shall not have died in vain, that this nation, under God, shall have a
new birth of freedom, and that government of the people, by the people, for the people, shall not perish
from the earth.
"""

NEWS = """\
Good evening. The finance ministers of the seven largest economies agreed on Tuesday to extend the loan
guarantees that were introduced after last year's floods. The decision comes three weeks after the
European Commission warned that smaller member states could run out of money before the winter. Speaking
to reporters outside the conference centre in Lyon, the French minister described the agreement as a
turning point for the whole region. Officials from the World Bank said they expected the first payments
to reach local authorities by the end of November. Opposition leaders criticised the plan because it
does not contain any new rules on how the money will be spent. In other news, police in Manchester are
still searching for two men who escaped from a prison van on the way to a court hearing yesterday
morning. Witnesses told the BBC that a dark blue car blocked the road while a second vehicle hit the van
from behind. Nobody was seriously injured, but the driver was taken to hospital with a broken arm.
Weather now, and it will stay cold and mostly dry across the south of England with temperatures falling
to minus four degrees overnight in some rural areas. Scotland and Northern Ireland can expect strong
winds and heavy snow above 300 metres from tomorrow afternoon until at least the weekend. Finally, the
oldest lighthouse on the Welsh coast has been sold to a group of volunteers who plan to turn it into a
museum about the history of shipping in the Irish Sea. That is the news. We will be back at ten with a
full summary of today's events.
"""

LECTURE = """\
So what we're going to look at today is how plants actually know when to flower, because if you think
about it that's a pretty strange thing for something without a brain to be able to do. And the short
answer is that they measure the length of the night. Not the day, the night. For a long time people
thought it was the day, and there were some really elegant experiments in the nineteen twenties and
thirties that showed that if you interrupt the night with even a very short flash of light, you know, a
minute or two, the whole thing is thrown off. Whereas if you interrupt the day with darkness nothing
happens at all. So there has to be something in the leaf that counts how long it's been dark, and that
something turns out to be a protein called phytochrome that exists in two forms and switches between
them depending on what kind of light hits it. Red light pushes it one way and far red light pushes it
back. And during the night it drifts slowly from one form to the other, so the amount that's left in the
morning tells the plant how long the night was. It's an hourglass, basically. And then there's a second
system which is a proper clock that runs with a period of about twenty four hours even if you keep the
plant in constant darkness, and the two of them have to agree before the plant will make a flower.
"""

HURRIED = """\
Okay so basically what happened was I was driving down the highway right and this guy just comes out of
nowhere and cuts me off and I'm like what are you doing and he rolls down his window and starts yelling
at me like it's my fault, and I'm sitting there thinking I've got my kids in the car I'm not going to
get into this with you, so I just let him go. And then two miles later I see him pulled over by the
police and I'm not going to lie I laughed out loud, like I actually laughed out loud, and my daughter
goes mom that's not very nice and I'm like honey sometimes it is, sometimes it really is.
"""

ENTITIES = """\
Your order total is $1,234.56, and it ships on 12/03/2025 at 3:30 PM from warehouse 17B. You can track
it at https://www.example-shipping.com/track/orders/2025/AB-99812-XY or call 1-800-555-0199 between 9:00
AM and 5:00 PM. The return code is 48-2291-7. If 5% of the items are missing, email returns@example.com
within 30 days. The apartment is at 1600 Pennsylvania Avenue NW, Washington, DC 20500. Version 2.4.1
fixed 37 bugs, reduced memory by 12.5% and costs €49.99 per month. Dr. Smith and Mr. J. R. Jones arrived
at 10:15 AM with approx. 3,000 copies vs. 2,500 last year. The U.S. population was 331,449,281 in April
2020.
"""

CALL = _turns(
    """\
0 Thank you for calling Northwind Energy, my name is Daniel. May I have your account number, please?
1 Yes, hi. Sure. It's, um, four four seven, two nine, one zero three.
0 Thank you. And am I speaking with Mrs. Patterson?
1 Yes, that's me.
0 Great. How can I help you today, Mrs. Patterson?
1 Well, I got my bill yesterday and it says $412.67, and I'm never over a hundred and fifty, so I think
  something must be wrong with it.
0 Okay. I completely understand. Let me pull that up for you, one moment.
1 Sure.
0 Okay, so I can see here that the reading on March 14th was an estimate, and the one on April 12th was
  an actual reading, so the difference has been added to this bill.
1 But I sent you a reading. I sent it online, like, three weeks ago.
0 Right.
1 And I have the confirmation email and everything.
0 I see. Okay. Could you forward that email to support@northwind.com, and I'll put a hold on the payment
  until we've looked into it?
1 So I don't have to pay it now?
0 No, you don't have to pay anything until this is resolved.
1 Okay. Good. Thank you.
0 You're welcome. Is there anything else that I can help you with today?
1 No, that's all. Thanks.
0 Have a great day, Mrs. Patterson. Bye bye.
1 Bye.
"""
)
MEETING = _turns(
    """\
0 All right, let's get started.
1 Sorry, is everyone here?
2 Jen is running late, she said to go ahead.
0 Okay. So the first item is the release. Priya, where are we with the migration?
3 Um, so we finished the dry run on Friday and it took about six hours, which is longer than we wanted,
  but I think if we drop the indexes first and then rebuild them afterwards we can get it down to four.
1 Four hours of downtime?
3 No no, read only. People can still look at things, they just can't change anything.
2 Right.
0 And is that something that we have told the customers about, or do we still need to send something
  out?
1 I have a draft.
2 He has had a draft for two weeks.
1 It is a very good draft.
0 Okay, send it today, please. Second item, the budget. We are about twelve percent over on hosting and
  I would really like to understand why, because the traffic has not gone up by that much.
3 That's the staging environment. Somebody left the big machines on over the holidays.
2 It wasn't me.
1 It was totally you.
2 It might have been me.
0 Well, let's set up something that turns them off automatically, so that nobody has to remember it.
"""
)
SHORT = tuple(
    (at % 2, text)
    for at, text in enumerate(
        """\
Hello? Hi. Anna? Yes. Who? Me. Oh. Yeah. What? Nothing. Okay. Sure? Sure. Fine. Bye. Wait. Yes?
Nothing. Really? Really. Ha. Mhm. So? So. Well. No. Yes. No. Stop. Okay. Go. Now? Now. Right. Right.
""".split()
    )
)

GERMAN = """\
Guten Abend, meine Damen und Herren. Der Bundestag hat heute mit großer Mehrheit ein neues Gesetz über
die Krankenhausfinanzierung beschlossen, das im kommenden Jahr in Kraft treten soll. Die
Gesundheitsministerin sprach von einem wichtigen Schritt, während die Opposition vor steigenden
Beiträgen warnte. Nach Angaben der Bundesregierung werden vor allem kleinere Häuser im ländlichen Raum
davon profitieren, dass die Vergütung nicht mehr nur von der Zahl der Behandlungen abhängt. Die
Donaudampfschifffahrtsgesellschaftskapitänsmützenverordnung wurde nicht erwähnt. Und nun zum Wetter: Im
Norden bleibt es bewölkt und es regnet gelegentlich, im Süden scheint dagegen bei Temperaturen um 15
Grad die Sonne.
"""

FRENCH = """\
Bonsoir à tous. Aujourd'hui, nous allons parler de l'histoire de la ville de Lyon, qui fut fondée par
les Romains en 43 avant Jésus-Christ. C'est une ville que j'aime beaucoup, parce qu'on y trouve à la
fois des monuments anciens, une cuisine remarquable et des quartiers qui ont gardé leur caractère.
Qu'est-ce qui vous a décidé à venir vous installer ici ? Eh bien, c'est tout simple : ma femme y avait
trouvé un poste à l'université, et nous n'avons jamais regretté notre choix.
"""

SPANISH = """\
¿Qué tal? Bienvenidos a un nuevo episodio de nuestro programa. Hoy tenemos con nosotros a una invitada
muy especial que ha dedicado más de treinta años de su vida al estudio de las ballenas en el sur de la
Argentina. Cuando empecé, nos cuenta, no había casi nadie que se interesara por el tema y teníamos que
pedir prestado el barco de un pescador que vivía en el pueblo de al lado. ¡Qué increíble! Y ahora,
después de tantos años, ¿cree usted que las cosas han mejorado?
"""

ARABIC = """\
مرحبا بكم في نشرة الأخبار. اجتمع وزراء المالية اليوم في القاهرة لمناقشة الأوضاع الاقتصادية في المنطقة،
واتفقوا على تشكيل لجنة مشتركة تضع خطة للسنوات الخمس القادمة. وقال المتحدث باسم الحكومة إن النتائج ستعلن
قبل نهاية الشهر، ولم يذكر تفاصيل أخرى. هل تعتقد أن هذا سيغير شيئا؟ لا أعرف.
"""

JAPANESE = """\
今日 は とても 良い 天気 です ね。 昨日 の 会議 で 話した こと に ついて、 もう少し 詳しく 説明 して いただけ ます か?
はい、 もちろん です。 まず、 新しい プロジェクト の 予算 は 約 1,200万 円 で、 来年 の 三月 まで に 完成 する 予定
です。 ただし、 人手 が 足りない ので、 少し 遅れる かも しれません。
"""

THAI = """\
สวัสดีครับ วันนี้ เรา จะ มา พูด คุย กัน เกี่ยวกับ การ ท่องเที่ยว ใน ประเทศไทย ซึ่ง มี
สถานที่ สวยงาม มากมาย ให้ เลือก ไม่ว่าจะ เป็น ภูเขา ทะเล หรือ วัด เก่าแก่ ที่ มี
ประวัติศาสตร์ ยาวนาน ขอบคุณ ที่ ติดตาม ครับ
"""

_VOWELS = re.compile(r"[aeiouyäöüàâéèêëîïôûùáíóú]+", re.IGNORECASE)


class Talker:
    """Says words at a pace of some `wpm` words a minute; `coarse` rounds times to 80 ms."""

    def __init__(self, chance: random.Random, wpm: float, coarse: bool) -> None:
        self._chance, self._rate, self._coarse = chance, 165 / wpm, coarse

    def _time(self, at: float) -> float:
        return round(round(at / 0.08) * 0.08, 2) if self._coarse else round(at, 3)

    def _pause(self, word: str) -> float:
        if word[-1] in ".?!。":
            return self._chance.choice((0.15, 0.3, 0.5, 0.7, 0.9, 1.3)) * self._rate
        if word[-1] in ",:、،":
            return self._chance.choice((0.0, 0.0, 0.1, 0.2, 0.35)) * self._rate
        return self._chance.choice((0.2, 0.4, 0.6)) * self._rate if self._chance.random() < 0.04 else 0.0

    def say(self, text: str, at: float, said: Said, speaker: int | None = None) -> float:
        """Append words to `said` from `at` seconds on; returns when the last is over."""
        for word in text.split():
            latin = word[0] < "\u0250"
            long = 0.09 + 0.16 * max(1, len(_VOWELS.findall(word))) + 0.01 * len(word) if latin else 0.0
            long += 0.22 * sum(c.isdigit() for c in word) if latin else 0.06 + 0.09 * len(word)
            long *= self._rate * self._chance.uniform(0.8, 1.25)
            pause = self._pause(word)
            start = self._time(at)
            end = self._time(at + (min(long, 0.5) if pause >= 0.12 else long + pause))
            entry = {"word": word.lower().strip(".,?!;:") or word, "punctuated_word": word, "start": start,
                     "end": max(start, end), "confidence": 0.98}  # fmt: skip
            said.append(entry if speaker is None else {**entry, "speaker": speaker})
            at += long + pause
        return at


def _utterances(channels: Iterable[Said], split: float) -> list[dict[str, Any]]:
    utterances: list[dict[str, Any]] = []
    for index, said in enumerate(channels):
        before: dict[str, Any] | None = None
        for word in said:
            goes_on = before is not None and word["start"] - before["end"] < split
            if before is None or not goes_on or word.get("speaker") != before.get("speaker"):
                who = {"speaker": word["speaker"]} if "speaker" in word else {}
                utterances.append({"start": word["start"], "channel": index, "words": [], **who})
            utterances[-1]["words"].append(word)
            utterances[-1]["end"] = word["end"]
            before = word
    for utterance in utterances:
        utterance["transcript"] = " ".join(word["punctuated_word"] for word in utterance["words"])
    return sorted(utterances, key=lambda utterance: utterance["start"])


def response(*channels: Said, language: str | None = None, split: float | None = None) -> dict[str, Any]:
    """A response that says this; with utterances where `split` seconds end one."""
    results: dict[str, Any] = {"channels": []}
    for said in channels:
        text = " ".join(word["punctuated_word"] for word in said)
        known = {"detected_language": language} if language else {}
        results["channels"].append({"alternatives": [{"transcript": text, "words": said}], **known})
    if split is not None:
        results["utterances"] = _utterances(channels, split)
    return {"metadata": {"channels": len(channels)}, "results": results}


def monologue(text: str, wpm: float, seed: int, **more: Any) -> dict[str, Any]:
    """One speaker on one channel."""
    said: Said = []
    chance = random.Random(seed)
    Talker(chance, wpm, seed % 3 == 2).say(text, chance.uniform(0, 2), said)
    return response(said, **more)


def dialogue(turns: Turns, wpm: float, seed: int, **more: Any) -> dict[str, Any]:
    """Several speakers on one channel, told apart."""
    said: Said = []
    chance, at = random.Random(seed), 0.5
    for who, text in turns:
        at = Talker(chance, wpm * chance.uniform(0.85, 1.2), seed % 3 == 2).say(text, at, said, who)
        at += chance.choice((0, 0.05, 0.2, 0.5, 1.0))
    return response(said, **more)


def channels(turns: Turns, wpm: float, seed: int, many: int = 2, **more: Any) -> dict[str, Any]:
    """Each speaker on a channel of their own, some of whom begin before the others have ended."""
    said: list[Said] = [[] for _ in range(many)]
    free = [0.0] * many
    chance, at = random.Random(seed), 0.5
    for who, text in turns:
        channel = who % many
        begun = max(at, free[channel])
        talker = Talker(chance, wpm * chance.uniform(0.85, 1.2), seed % 3 == 2)
        at = free[channel] = talker.say(text, begun, said[channel], 0 if seed % 2 else None)
        interrupts = chance.random() < (0.2, 0.5, 0.8)[seed % 3]
        at += chance.uniform(-2.5, -0.1) if interrupts else chance.choice((0, 0.1, 0.3, 0.8, 1.6, 2.5))
        at = max(at, begun + 0.1)
    return response(*said, **more)
