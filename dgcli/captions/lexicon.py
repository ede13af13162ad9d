"""Words that lean on their neighbours, by language: what `language` knows of each beyond its printed form.

For every language the closed classes: determiners, prepositions, conjunctions, subject pronouns, auxiliaries,
adverbs of degree and negation, titles; for some, pronouns that may be subject or object, and words that open.
"""

from enum import IntEnum


class WordKind(IntEnum):
    """The class of a word, as far as a gap beside it is concerned."""

    OTHER = 0
    ARTICLE = 1  # and every other determiner: the, this, my, every
    PREPOSITION = 2
    CONJUNCTION = 3  # coordinating, subordinating, relative
    PRONOUN = 4  # a subject, also with its auxiliary: I, they, we'll
    AUXILIARY = 5  # be, have, do and the modals, negated too
    ADVERB = 6  # degree and negation, which lean on what follows: not, very, so
    TITLE = 7  # Mr, Dr.
    NUMBER = 8
    NAME = 9  # capitalised, and none of the above
    SHORT = 10  # up to three letters, and none of the above
    OPENER = 11  # well, okay, yeah: begins something new
    OBJECT = 12  # a pronoun that leans on what stands before it: me, them
    EITHER = 13  # a pronoun that may be subject or object: you, it
    MARK = 14  # neither letter nor digit, such as % or a dash that stands alone: belongs to what is before it
    INITIAL = 15  # a single capital with a full stop: of a name, or the last word of a sentence
    BRACKET = 16  # an opening mark that stands alone: belongs to what is after it
    PARTICLE = 17  # Japanese and Chinese: leans on what stands before it
    STEM = 18  # Han or Katakana without its ending: leans on what follows


_ENGLISH = {
    WordKind.ARTICLE: """a an the this these those my your his her its our their whose every each some any no
        another both either neither""",
    WordKind.PREPOSITION: """of to in on at by for from with without into onto over under about between through
        during against among toward towards upon within behind beyond across along around near per via as than like
        above below beside besides despite except inside outside since until till""",
    WordKind.CONJUNCTION: """and or but nor yet if because when while although though unless whereas whether that
        which who whom where why how what whatever whenever wherever""",
    WordKind.PRONOUN: """i he she we they i'm he's she's we're they're i've we've they've i'll he'll she'll we'll
        they'll i'd he'd she'd we'd they'd you're you've you'll you'd it's it'll it'd there there's that's
        here's what's who's where's let's""",
    WordKind.EITHER: "you it",
    WordKind.OBJECT: "me him us them myself yourself himself herself itself ourselves themselves",
    WordKind.AUXILIARY: """is are was were be been being am do does did have has had having will would can could
        shall should may might must isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't
        won't wouldn't can't cannot couldn't shouldn't mustn't needn't gonna wanna gotta""",
    WordKind.ADVERB: "not never very so too quite rather just only even more most less least really almost",
    WordKind.TITLE: """mr mrs ms dr prof mr. mrs. ms. dr. prof. st. sgt. lt. col. gen. sen. rep. gov. capt. vs vs.
        vol. fig.""",
    WordKind.OPENER: "well okay ok yeah yes oh um uh so, hey now, please thanks",
}
_SPANISH = {
    WordKind.ARTICLE: """el la los las un una unos unas lo al del este esta estos estas ese esa esos esas aquel
        aquella aquellos aquellas mi mis tu tus su sus nuestro nuestra nuestros nuestras cada algún alguna algunos
        algunas ningún ninguna otro otra otros otras cuyo cuya todo toda todos todas ambos cualquier""",
    WordKind.PREPOSITION: """de a en con por para sin sobre entre desde hasta hacia según contra durante mediante
        tras ante bajo como excepto""",
    WordKind.CONJUNCTION: """y e o u pero sino ni que si cuando porque aunque mientras donde quien quienes cual cuales
        pues qué cómo cuándo dónde cuál cuáles quién cuanto cuánto""",
    WordKind.PRONOUN: "yo tú él ella nosotros nosotras ellos ellas usted ustedes me te se le les nos os",
    WordKind.AUXILIARY: """es son era eran fue fueron ser sido siendo soy somos estoy está están estaba estaban estar
        he has ha hemos han había habían haber hay puede pueden podemos puedo podía podría debe deben debemos va
        van voy vamos sea sean sería será tiene tienen tenemos""",
    WordKind.ADVERB: "no muy más menos tan casi ya también solo sólo nunca bastante demasiado",
    WordKind.TITLE: "sr sra dr dra sr. sra. srta. dr. dra. prof. ud. uds. don doña",
    WordKind.OPENER: "bueno sí vale hola gracias entonces ahora",
}
_GERMAN = {
    WordKind.ARTICLE: """der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner
        dieser diese dieses diesen diesem jeder jede jedes jeden jedem mein meine meinen meinem meiner dein deine
        deinen unser unsere unseren unserem euer eure ihre ihren ihrem ihrer sein seine seinen seinem seiner alle
        allen aller einige einigen manche viele vielen beide beiden welche welcher welches solche solchen""",
    WordKind.PREPOSITION: """von zu zum zur in im ins an am ans auf aufs mit bei beim aus nach vor vom durch für gegen
        ohne um über unter zwischen neben hinter seit während wegen trotz bis pro per als wie laut""",
    WordKind.CONJUNCTION: """und oder aber sondern denn dass daß wenn weil ob obwohl während damit indem sobald falls
        wo wer was wann warum wieso weshalb wohin woher sowie bzw bevor nachdem""",
    WordKind.PRONOUN: "ich du er sie es wir ihr man sich mich dich uns euch mir dir ihm ihn ihnen",
    WordKind.AUXILIARY: """ist sind war waren bin bist seid wäre wären hat haben habe hast hatte hatten habt wird
        werden werde wirst wurde wurden worden würde würden kann können könnte könnten muss müssen müsste soll
        sollen sollte sollten will wollen wollte darf dürfen mag möchte möchten""",
    WordKind.ADVERB: "nicht sehr so zu nur noch auch ganz etwas schon fast nie mehr immer gar eher sogar",
    WordKind.TITLE: "herr frau dr prof dr. prof. hr. fr. st. z.b. d.h. ca. nr.",
    WordKind.OPENER: "ja nein also nun okay gut danke hallo",
}
_FRENCH = {
    WordKind.ARTICLE: """le la les l un une des du de au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre
        nos votre vos leur leurs chaque quelque quelques tout toute tous toutes aucun aucune plusieurs autre autres
        quel quelle quels quelles""",
    WordKind.PREPOSITION: """à d en dans avec par pour sans sur sous vers chez entre contre depuis pendant avant après
        jusque jusqu selon malgré parmi dès comme envers""",
    WordKind.CONJUNCTION: """et ou mais ni car donc or que qu qui quoi dont où si quand lorsque lorsqu parce puisque
        puisqu quoique tandis comment pourquoi""",
    WordKind.PRONOUN: "je j tu il elle on nous vous ils elles me m te t se s ne n ça cela c y lui",
    WordKind.AUXILIARY: """est sont suis es sommes êtes était étaient étais être été a ai as avons avez ont avait
        avaient avoir eu fait faire va vont vais allons peut peuvent peux pouvons pouvez doit doivent sera seront
        serait soit faut aurait""",
    WordKind.ADVERB: "pas très plus moins si trop assez aussi presque jamais bien tellement encore toujours",
    WordKind.TITLE: "m mme mlle dr m. mm. mme. dr. prof. st.",
    WordKind.OPENER: "oui non alors bon merci bonjour eh ben voilà",
}
_ITALIAN = {
    WordKind.ARTICLE: """il lo la i gli le l un uno una del dello della dei degli delle al allo alla ai agli alle dal
        dallo dalla dai dagli dalle nel nello nella nei negli nelle sul sullo sulla sui sugli sulle col questo
        questa questi queste quel quello quella quei quegli quelle mio mia miei mie tuo tua suo sua suoi sue nostro
        nostra nostri nostre vostro vostra loro ogni qualche alcuni alcune tutto tutta tutti tutte altro altra""",
    WordKind.PREPOSITION: """di a da in con su per tra fra d verso senza sopra sotto dopo prima durante contro secondo
        presso come""",
    WordKind.CONJUNCTION: """e ed o od ma che se perché quando mentre dove chi cui né oppure però quindi poiché sebbene
        cosa quale quali""",
    WordKind.PRONOUN: "io tu lui lei noi voi essi esse mi ti si ci vi ne li c s m t v",
    WordKind.AUXILIARY: """è sono era erano sei siamo siete essere stato stata stati ho hai ha abbiamo avete hanno
        aveva avevano avere può possono posso possiamo deve devono dobbiamo vuole sarà sarebbe sia va vanno""",
    WordKind.ADVERB: "non molto più meno così anche quasi già mai troppo tanto solo ancora sempre",
    WordKind.TITLE: "sig sig. sig.ra dott. dott.ssa dr. prof. ing. avv.",
    WordKind.OPENER: "sì no allora bene ok grazie ciao ecco",
}
_PORTUGUESE = {
    WordKind.ARTICLE: """o a os as um uma uns umas do da dos das no na nos nas ao à aos às pelo pela pelos pelas num
        numa dum duma este esta estes estas esse essa esses essas aquele aquela aqueles aquelas deste desta desse
        dessa neste nesta nesse nessa isto isso meu minha meus minhas teu tua seu sua seus suas nosso nossa nossos
        nossas cada algum alguma alguns algumas nenhum nenhuma outro outra outros outras todo toda todos todas""",
    WordKind.PREPOSITION: """de em com por para sem sobre entre até desde contra durante sob após perante como pra
        pro""",
    WordKind.CONJUNCTION: """e ou mas nem que se quando porque embora enquanto onde quem qual quais pois porém cujo
        cuja caso""",
    WordKind.PRONOUN: "eu tu ele ela nós vós eles elas você vocês me te lhe lhes se",
    WordKind.AUXILIARY: """é são era eram foi foram ser sido sou somos estou está estão estava estavam estar tem têm
        tenho temos tinha tinham ter há havia pode podem podemos posso deve devem vai vão vou vamos seja será
        seria""",
    WordKind.ADVERB: "não muito mais menos tão quase já também só nunca bastante ainda sempre",
    WordKind.TITLE: "sr sra dr dra sr. sra. dr. dra. prof. eng. dom dona",
    WordKind.OPENER: "sim bom bem então olá obrigado obrigada agora",
}
_DUTCH = {
    WordKind.ARTICLE: """de het een deze dit die dat mijn jouw je uw zijn haar ons onze jullie hun elk elke ieder iedere
        geen alle sommige veel andere welke zo'n 't""",
    WordKind.PREPOSITION: """van in op aan bij met voor door over onder tussen naar uit tot tegen zonder om na sinds
        tijdens volgens te ter ten per als dan""",
    WordKind.CONJUNCTION: """en of maar want dus omdat als wanneer terwijl hoewel toen zodat waar wie wat hoe waarom
        doordat indien zoals""",
    WordKind.PRONOUN: "ik jij je hij zij ze wij we u men er zich mij me hem hen",
    WordKind.AUXILIARY: """is was waren ben bent heeft hebben heb hebt had hadden wordt worden word werd werden zal
        zullen zou zouden kan kunnen kon konden moet moeten moest wil willen mag mogen gaat gaan ga""",
    WordKind.ADVERB: "niet heel erg zo te meer minder ook nog al bijna nooit zeer slechts alleen",
    WordKind.TITLE: "dhr dhr. mevr. mw. dr. prof. ir. drs. meneer mevrouw",
    WordKind.OPENER: "ja nee nou goed oké dank hallo dus,",
}
_RUSSIAN = {
    WordKind.ARTICLE: """этот эта это эти тот та те того этого этой этих тех мой моя моё мои твой твоя его её их наш
        наша наше наши ваш ваша ваше ваши свой своя своё свои своих каждый каждая каждое весь вся всё все такой такая
        такое такие какой какая какое какие""",
    WordKind.PREPOSITION: """в во на с со к ко по за из изо у о об обо от ото до для без под над при про через между
        перед после около ради среди против""",
    WordKind.CONJUNCTION: """и а но да или либо что чтобы если когда как где который которая которое которые которых
        потому поэтому хотя пока чем то куда откуда кто почему зачем""",
    WordKind.PRONOUN: "я ты он она оно мы вы они",
    WordKind.OBJECT: "же бы ли ль б ж",
    WordKind.AUXILIARY: """был была было были быть будет будут буду будем есть может могут можно нужно надо должен
        должны""",
    WordKind.ADVERB: "не ни очень так уже ещё еще только даже почти более менее самый самая самое самые",
    WordKind.TITLE: "г-н г-жа г. др. проф. т.е. т.к. т.д.",
    WordKind.OPENER: "да, нет ну вот хорошо спасибо итак",
}
_TABLES = {
    "en": _ENGLISH,
    "es": _SPANISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "it": _ITALIAN,
    "pt": _PORTUGUESE,
    "nl": _DUTCH,
    "ru": _RUSSIAN,
}
_ELIDING = frozenset(("fr", "it"))


class Lexicon:
    """The words of one language; of one that has no list, none.

    `tag` is a BCP 47 tag, and None is English, as the API's default is.
    """

    def __init__(self, tag: str | None) -> None:
        self.language = (tag or "en").replace("_", "-").split("-")[0].lower()
        table = _TABLES.get(self.language, {})
        self._kinds = {word: kind for kind, words in table.items() for word in words.split()}

    def kind(self, word: str) -> WordKind | None:
        """Return the kind of a word as it is printed, without marks around it; None for one of no list."""
        small = word.lower().replace("’", "'")
        kind = self._kinds.get(small)
        if kind is None and self.language in _ELIDING and "'" in small:
            # What is elided leans on the rest, and the whole on what the rest leans on: qu'il, d'un, c'est.
            kind = self._kinds.get(small.rpartition("'")[2])
        return kind
