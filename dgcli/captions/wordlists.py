"""Words that lean on their neighbours, by language: what `language` knows of each beyond its printed form.

For every language the closed classes: determiners, prepositions, conjunctions, subject pronouns, auxiliaries,
adverbs of degree and negation, titles; for some, pronouns that may be subject or object, postpositions, and words
that open.
"""

from collections.abc import Mapping

from dgcli.captions.kinds import WordKind

_ENGLISH = {
    WordKind.ARTICLE: """a an the this these those my your his her its our their whose every each some any no
        another both either neither""",
    WordKind.PREPOSITION: """of to in on at by for from with without into onto over under about between through
        during against among toward towards upon within behind beyond across along around near per via as than like
        above below beside besides despite except inside outside since until till""",
    WordKind.CONJUNCTION: """and or but nor yet if because when while although though unless whereas whether that
        which who whom where why how what whatever whenever wherever""",
    WordKind.PRONOUN: """i he she we they i'm he's she's we're they're i've we've they've i'll he'll she'll we'll
        they'll i'd he'd she'd we'd they'd you're you've you'll you'd it's it'll it'd there there's that's here's
        what's who's where's let's""",
    WordKind.EITHER: "you it",
    WordKind.OBJECT: "me him us them myself yourself himself herself itself ourselves themselves",
    WordKind.AUXILIARY: """is are was were be been being am do does did have has had having will would can could
        shall should may might must isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't won't
        wouldn't can't cannot couldn't shouldn't mustn't needn't gonna wanna gotta""",
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
    WordKind.CONJUNCTION: """y e o u pero sino ni que si cuando porque aunque mientras donde quien quienes cual
        cuales pues qué cómo cuándo dónde cuál cuáles quién cuanto cuánto""",
    WordKind.PRONOUN: "yo tú él ella nosotros nosotras ellos ellas usted ustedes me te se le les nos os",
    WordKind.AUXILIARY: """es son era eran fue fueron ser sido siendo soy somos estoy está están estaba estaban
        estar he has ha hemos han había habían haber hay puede pueden podemos puedo podía podría debe deben debemos
        va van voy vamos sea sean sería será tiene tienen tenemos""",
    WordKind.ADVERB: "no muy más menos tan casi ya también solo sólo nunca bastante demasiado",
    WordKind.TITLE: "sr sra dr dra sr. sra. srta. dr. dra. prof. ud. uds. don doña",
    WordKind.OPENER: "bueno sí vale hola gracias entonces ahora",
}
_GERMAN = {
    WordKind.ARTICLE: """der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner
        dieser diese dieses diesen diesem jeder jede jedes jeden jedem mein meine meinen meinem meiner dein deine
        deinen unser unsere unseren unserem euer eure ihre ihren ihrem ihrer sein seine seinen seinem seiner alle
        allen aller einige einigen manche viele vielen beide beiden welche welcher welches solche solchen""",
    WordKind.PREPOSITION: """von zu zum zur in im ins an am ans auf aufs mit bei beim aus nach vor vom durch für
        gegen ohne um über unter zwischen neben hinter seit während wegen trotz bis pro per als wie laut""",
    WordKind.CONJUNCTION: """und oder aber sondern denn dass daß wenn weil ob obwohl während damit indem sobald
        falls wo wer was wann warum wieso weshalb wohin woher sowie bzw bevor nachdem""",
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
    WordKind.PREPOSITION: """à d en dans avec par pour sans sur sous vers chez entre contre depuis pendant avant
        après jusque jusqu selon malgré parmi dès comme envers""",
    WordKind.CONJUNCTION: """et ou mais ni car donc or que qu qui quoi dont où si quand lorsque lorsqu parce puisque
        puisqu quoique tandis comment pourquoi""",
    WordKind.PRONOUN: "je j tu il elle on nous vous ils elles me m te t se s ne n ça cela c y lui",
    WordKind.AUXILIARY: """est sont suis es sommes êtes était étaient étais être été a ai as avons avez ont avait
        avaient avoir eu fait faire va vont vais allons peut peuvent peux pouvons pouvez pouvait doit doivent dois
        devons devez sera seront serait soit faut aurait veux veut voulons voulez veulent voudrais""",
    WordKind.ADVERB: "pas très plus moins si trop assez aussi presque jamais bien tellement encore toujours",
    WordKind.TITLE: "m mme mlle dr m. mm. mme. dr. prof. st.",
    WordKind.OPENER: "oui non alors bon merci bonjour eh ben voilà",
}
_ITALIAN = {
    WordKind.ARTICLE: """il lo la i gli le l un uno una del dello della dei degli delle al allo alla ai agli alle
        dal dallo dalla dai dagli dalle nel nello nella nei negli nelle sul sullo sulla sui sugli sulle col questo
        questa questi queste quel quello quella quei quegli quelle mio mia miei mie tuo tua suo sua suoi sue nostro
        nostra nostri nostre vostro vostra loro ogni qualche alcuni alcune tutto tutta tutti tutte altro altra""",
    WordKind.PREPOSITION: """di a da in con su per tra fra d verso senza sopra sotto dopo prima durante contro
        secondo presso come""",
    WordKind.CONJUNCTION: """e ed o od ma che se perché quando mentre dove chi cui né oppure però quindi poiché
        sebbene cosa quale quali""",
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
        tenho temos tinha tinham ter há havia pode podem podemos posso deve devem vai vão vou vamos seja será seria""",
    WordKind.ADVERB: "não muito mais menos tão quase já também só nunca bastante ainda sempre",
    WordKind.TITLE: "sr sra dr dra sr. sra. dr. dra. prof. eng. dom dona",
    WordKind.OPENER: "sim bom bem então olá obrigado obrigada agora",
}
_DUTCH = {
    WordKind.ARTICLE: """de het een deze dit die dat mijn jouw je uw zijn haar ons onze jullie hun elk elke ieder
        iedere geen alle sommige veel andere welke zo'n 't""",
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
        наша наше наши ваш ваша ваше ваши свой своя своё свои своих каждый каждая каждое весь вся всё все такой
        такая такое такие какой какая какое какие""",
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
_POLISH = {
    WordKind.ARTICLE: """ten ta to te tego tej tych temu tym tę tą tamten tamta mój moja moje twój twoja twoje swój
        swoja swoje swego swej swoich jego jej ich nasz nasza nasze wasz wasza wasze każdy każda każde wszystkie
        wszystkich żaden jakiś jakaś taki taka takie""",
    WordKind.PREPOSITION: """w we z ze na do od o u po za przed nad pod przy przez dla bez między wśród wobec według
        podczas oprócz jako""",
    WordKind.CONJUNCTION: """i a ale oraz lub albo czy że żeby aby gdy gdyby kiedy jeśli jeżeli bo ponieważ choć
        który która które którzy których którym której którą gdzie jak niż więc co kto dlaczego lecz ani""",
    WordKind.PRONOUN: "ja ty on ona ono my wy oni one",
    WordKind.OBJECT: "się mi go mu by",
    WordKind.AUXILIARY: "jest są był była było byli były będzie będą być może mogą można musi trzeba",
    WordKind.ADVERB: "nie bardzo już jeszcze tylko nawet prawie bardziej najbardziej zbyt też",
    WordKind.TITLE: "pan pani p. dr prof. mgr inż. ks. ul. św.",
    WordKind.OPENER: "tak no dobrze dziękuję",
}
_CZECH = {
    WordKind.ARTICLE: """ten ta to ti ty tento tato toto tyto toho té těch tom tomto této můj moje tvůj svůj svou
        své jeho její jejich náš naše váš vaše každý každá každé všechny všech žádný nějaký takový""",
    WordKind.PREPOSITION: """v ve z ze na do od o u po za před nad pod při přes pro bez mezi s k ke podle během
        proti kolem kvůli jako""",
    WordKind.CONJUNCTION: """a i ale nebo že aby když jestli pokud protože který která které kteří kterou kterého
        kde jak než takže co kdo proč zda neboť však ani""",
    WordKind.PRONOUN: "já ty on ona ono my vy oni",
    WordKind.OBJECT: "se si mi mu ho jsem jsi jsme jste by bych",
    WordKind.AUXILIARY: "je jsou byl byla bylo byli byly bude budou být může mohou musí lze má mají",
    WordKind.ADVERB: "ne velmi už ještě jen pouze téměř více nejvíce příliš také",
    WordKind.TITLE: "pan paní p. dr. prof. ing. mgr. sv.",
    WordKind.OPENER: "ano no dobře tak díky",
}
_UKRAINIAN = {
    WordKind.ARTICLE: """цей ця це ці цій цю той те ті цього цієї цих тих мій моя моє мої твій твоя свій своя своє свої
        своїх його її їх їхній наш наша наше наші ваш ваша ваше кожен кожна кожне кожний весь вся все всі такий така
        таке такі""",
    WordKind.PREPOSITION: """в у на з із зі до від о об по за для без під над при про через між перед після біля
        серед проти крім""",
    WordKind.CONJUNCTION: """і й та а але або чи що щоб якщо коли де як який яка яке які яких бо тому хоча поки ніж
        то хто чому""",
    WordKind.PRONOUN: "я ти він вона воно ми ви вони",
    WordKind.OBJECT: "ж же б би",
    WordKind.AUXILIARY: "був була було були бути буде будуть є може можуть можна треба потрібно має мають",
    WordKind.ADVERB: "не ні дуже вже ще тільки навіть майже більш менш найбільш",
    WordKind.TITLE: "пан пані п. проф. ім. вул.",
    WordKind.OPENER: "так ну добре отже дякую",
}
_SWEDISH = {
    WordKind.ARTICLE: """en ett den det de denna detta dessa min mitt mina din ditt dina sin sitt sina hans hennes
        dess deras vår vårt våra er ert era varje någon något några ingen inget inga all allt alla annan annat andra
        samma""",
    WordKind.PREPOSITION: """i på av för med till från om vid under över mellan genom efter före mot utan hos kring
        bland enligt åt ur per än""",
    WordKind.CONJUNCTION: """och eller men att som när eftersom medan innan var vad vem vilken vilket vilka hur
        varför där samt""",
    WordKind.PRONOUN: "jag du han hon vi ni man dom",
    WordKind.OBJECT: "mig dig sig oss honom henne dem",
    WordKind.AUXILIARY: """är var varit vara har hade ha ska skall skulle kan kunde vill ville måste får fick bör
        blir blev bli""",
    WordKind.ADVERB: "inte mycket bara även mer mest mindre aldrig redan nästan också",
    WordKind.TITLE: "herr fru dr dr. prof. kl.",
    WordKind.OPENER: "ja nej jo okej tack nu hej",
}
_DANISH = {
    WordKind.ARTICLE: """en et den det de denne dette disse min mit mine din dit dine sin sit sine hans hendes dens
        deres vores jeres hver hvert nogen noget nogle ingen intet alle alt anden andet andre samme""",
    WordKind.PREPOSITION: """i på af for med til fra om ved under over mellem gennem efter før mod uden hos blandt
        ifølge per end""",
    WordKind.CONJUNCTION: """og eller men at som der hvis når fordi mens da hvad hvem hvilken hvor hvordan hvorfor
        samt""",
    WordKind.PRONOUN: "jeg du han hun vi man",
    WordKind.OBJECT: "mig dig sig os ham hende dem jer",
    WordKind.AUXILIARY: """er var været være har havde have skal skulle kan kunne vil ville må måtte bør bliver blev
        blive""",
    WordKind.ADVERB: "ikke meget kun også mere mest aldrig allerede næsten",
    WordKind.TITLE: "hr. fru dr. prof. kl.",
    WordKind.OPENER: "ja nej jo okay tak nu hej",
}
_NORWEGIAN = {
    WordKind.ARTICLE: """en et ei den det de denne dette disse min mitt mine din ditt dine sin sitt sine hans hennes
        dens deres vår vårt våre hver hvert noen noe ingen alle alt annen annet andre samme""",
    WordKind.PREPOSITION: """i på av for med til fra om ved under over mellom gjennom etter før mot uten hos blant
        ifølge per enn""",
    WordKind.CONJUNCTION: """og eller men at som hvis når fordi mens da hva hvem hvilken hvor hvordan hvorfor samt""",
    WordKind.PRONOUN: "jeg du han hun vi dere man",
    WordKind.OBJECT: "meg deg seg oss ham henne dem",
    WordKind.AUXILIARY: """er var vært være har hadde ha skal skulle kan kunne vil ville må måtte bør blir ble bli""",
    WordKind.ADVERB: "ikke veldig svært bare også mer mest aldri allerede nesten",
    WordKind.TITLE: "hr. fru dr. prof. kl.",
    WordKind.OPENER: "ja nei jo ok takk nå hei",
}
_FINNISH = {
    WordKind.ARTICLE: """tämä tuo se nämä ne tämän sen näiden niiden jokainen jokaisella jokin kaikki kaikkien oma
        minun sinun hänen meidän teidän heidän""",
    WordKind.CONJUNCTION: """ja tai mutta että jos kun koska vaikka sekä eli vaan kuin joka jotka jonka jota mikä
        mitä missä miten miksi""",
    WordKind.PRONOUN: "minä sinä hän me te he",
    WordKind.AUXILIARY: "on ovat oli olivat ole olla ollut voi voivat pitää ei eivät en et emme ette",
    WordKind.ADVERB: "hyvin niin vain myös jo vielä",
    WordKind.OPENER: "no joo kyllä kiitos nyt",
}
_HUNGARIAN = {
    WordKind.ARTICLE: "a az egy ez ezek azok e minden",
    WordKind.CONJUNCTION: """és s vagy de hogy ha mert amikor amely amelyek aki akik ami ahol mint valamint illetve
        sem""",
    WordKind.PRONOUN: "én te ő mi ti ők",
    WordKind.OBJECT: "is van vannak volt",
    WordKind.PARTICLE: "szerint alatt felett között mellett után előtt miatt nélkül ellen iránt által során",
    WordKind.ADVERB: "nem nagyon csak már még",
    WordKind.OPENER: "igen jó köszönöm most",
}
_ROMANIAN = {
    WordKind.ARTICLE: """un unui unei unor niște acest această acești aceste acel acea acei acele al ale cel cea cei
        cele meu mea tău ta său sa lui lor nostru noastră fiecare orice tot toată toți toate alt altă alți alte""",
    WordKind.PREPOSITION: """de la în din cu pe pentru prin fără sub spre către între după până despre contra ca
        peste asupra""",
    WordKind.CONJUNCTION: "și sau dar iar că să dacă când unde care ce cum deși fie nici deoarece",
    WordKind.PRONOUN: "eu tu el ea noi voi ei ele se își îi îl le i o a",
    WordKind.AUXILIARY: "este e sunt era erau fi fost am ai are avem aveți au va vor poate pot trebuie",
    WordKind.ADVERB: "nu foarte mai prea doar chiar",
    WordKind.TITLE: "domnul doamna dl. dna. dr. prof.",
    WordKind.OPENER: "da bine mulțumesc acum deci",
}
_CATALAN = {
    WordKind.ARTICLE: """el la els les l un una uns unes del dels al als aquest aquesta aquests aquestes aquell
        aquella seu seva seus seves meu meva nostre nostra tot tota tots totes cada""",
    WordKind.PREPOSITION: "de d a en amb per sense sobre entre des fins contra durant segons",
    WordKind.CONJUNCTION: "i o però que si quan on qui perquè ni com",
    WordKind.PRONOUN: "jo tu ell ella nosaltres vosaltres ells elles em et es ens us li hi ho s m t n",
    WordKind.AUXILIARY: "és són era eren ha han he hem havia ser estar està pot poden",
    WordKind.ADVERB: "no molt més menys tan",
    WordKind.OPENER: "sí bé gràcies ara",
}
_GREEK = {
    WordKind.ARTICLE: """ο η το οι τα του της των τον την τους τις ένας μια μία ένα έναν αυτός αυτή αυτό αυτοί αυτές
        αυτά κάθε όλοι όλες όλα όλων""",
    WordKind.PREPOSITION: """σε στο στη στην στον στα στις στους από με για προς χωρίς κατά μετά μέχρι ως υπό παρά
        πριν""",
    WordKind.CONJUNCTION: "και κι ή αλλά ότι πως να αν όταν γιατί επειδή ενώ που όπως όπου είτε ούτε",
    WordKind.PRONOUN: "εγώ εσύ εμείς εσείς",
    WordKind.OBJECT: "μου σου μας σας",
    WordKind.AUXILIARY: "είναι ήταν έχει έχουν είχε είχαν θα πρέπει μπορεί μπορούν",
    WordKind.ADVERB: "δεν μη μην πολύ πιο τόσο ήδη μόνο",
    WordKind.OPENER: "ναι όχι λοιπόν ευχαριστώ τώρα",
}
_BULGARIAN = {
    WordKind.ARTICLE: "този тази това тези един една едно всеки всяка всяко всички свой своя своите",
    WordKind.PREPOSITION: """в във на с със за от до по при под над без пред след между през към върху около срещу
        против""",
    WordKind.CONJUNCTION: "и а но или че да ако когато където как който която което които защото докато",
    WordKind.PRONOUN: "аз ти той тя то ние вие те",
    WordKind.OBJECT: "се си ми му го ги",
    WordKind.AUXILIARY: "е са съм беше бяха бъде бъдат ще може могат трябва има",
    WordKind.ADVERB: "не много най вече още само",
    WordKind.OPENER: "да, добре благодаря сега",
}
_TURKISH = {
    WordKind.ARTICLE: "bir bu şu o her bazı tüm bütün hiçbir",
    WordKind.CONJUNCTION: "ve veya ya ama fakat çünkü eğer hem ne",
    WordKind.PRONOUN: "ben sen biz siz onlar",
    WordKind.PARTICLE: """ile için kadar gibi göre sonra önce dolayı rağmen karşı doğru üzere beri hakkında
        tarafından ise de da mi mı mu mü ki değil olarak""",
    WordKind.ADVERB: "çok daha en pek",
    WordKind.TITLE: "sayın bay bayan dr. prof. av.",
    WordKind.OPENER: "evet hayır tamam peki teşekkürler",
}
_INDONESIAN = {
    WordKind.ARTICLE: "setiap para suatu sebuah seorang semua segala",
    WordKind.PREPOSITION: """di ke dari untuk dengan dalam pada oleh kepada tentang antara tanpa sebagai seperti
        terhadap""",
    WordKind.CONJUNCTION: "dan atau tetapi tapi bahwa jika kalau karena ketika yang agar supaya serta sehingga",
    WordKind.PRONOUN: "saya aku kamu anda dia ia kami kita mereka",
    WordKind.OBJECT: "ini itu",
    WordKind.AUXILIARY: "adalah akan dapat bisa harus telah sudah sedang",
    WordKind.ADVERB: "tidak bukan sangat lebih paling hanya juga",
    WordKind.OPENER: "ya oke baik",
}
_VIETNAMESE = {
    WordKind.ARTICLE: "các những một mọi mỗi cái sự việc",
    WordKind.PREPOSITION: "của trong với cho từ đến tới ở bằng về theo trên dưới bởi",
    WordKind.CONJUNCTION: "và hoặc hay nhưng rằng nếu khi vì mà thì do để",
    WordKind.PRONOUN: "tôi bạn anh chị họ chúng",
    WordKind.OBJECT: "này đó ấy kia",
    WordKind.AUXILIARY: "là được bị có phải sẽ đã đang cần",
    WordKind.ADVERB: "không rất cũng chỉ chưa đều",
}
_ARABIC = {
    WordKind.ARTICLE: "هذا هذه ذلك تلك هؤلاء كل بعض أي جميع غير وهذا وهذه وكل",
    WordKind.PREPOSITION: """من إلى على في عن مع بين بعد قبل عند حتى منذ خلال ضد دون بدون حول نحو لدى ومن وإلى وعلى
        وفي وعن ومع""",
    WordKind.CONJUNCTION: "أو ثم لكن أن إن إذا لو كما لأن حيث التي الذي الذين ما بل وأن ولكن وما",
    WordKind.PRONOUN: "أنا أنت هو هي نحن هم وهو وهي",
    WordKind.AUXILIARY: "كان كانت يكون تكون وكان وكانت",
    WordKind.ADVERB: "لا لم لن ليس قد سوف ولا ولم وقد",
}
_PERSIAN = {
    WordKind.ARTICLE: "این آن هر هیچ همه یک",
    WordKind.PREPOSITION: "از به در با بر برای تا بدون بین",
    WordKind.CONJUNCTION: "و یا که اگر اما ولی چون",
    WordKind.PARTICLE: "را است بود شد",
}
_HEBREW = {
    WordKind.ARTICLE: "כל",
    WordKind.PREPOSITION: "של על עם אל את בין לפני אחרי בלי כדי לפי מן תחת נגד אצל",
    WordKind.CONJUNCTION: "או כי אם אבל גם אשר אך אלא כאשר כמו מה איך למה",
    WordKind.PRONOUN: "אני אתה הוא היא אנחנו אנו אתם הם הן זה זו זאת",
    WordKind.AUXILIARY: "יש היה היתה הייתה היו להיות יהיה",
    WordKind.ADVERB: "לא אין מאוד רק עוד כבר",
}
_HINDI = {
    WordKind.ARTICLE: """यह वह ये वे इस उस इन उन एक हर सभी सब कोई किसी कुछ मेरा मेरी मेरे अपना अपनी अपने हमारा हमारी
        हमारे उसका उसके उनके इसके""",
    WordKind.CONJUNCTION: "और या तथा एवं लेकिन कि अगर यदि जब जो जिस जिसे जिन क्योंकि ताकि मगर",
    WordKind.PRONOUN: "मैं हम तुम आप",
    WordKind.OBJECT: "का के की",
    WordKind.PARTICLE: """को से में पर तक ने भी ही तो है हैं था थे थी हो द्वारा लिए साथ बाद पहले वाला वाले वाली गया
        गई गए""",
    WordKind.ADVERB: "नहीं न बहुत अधिक सबसे",
    WordKind.TITLE: "श्री श्रीमती डॉ. डॉ",
}
_KOREAN = {
    WordKind.ARTICLE: "이 그 저 이런 그런 저런 한 두 세 네 모든 각 내 제 우리 다른 어떤 무슨 몇 여러 새",
    WordKind.CONJUNCTION: "그리고 그러나 하지만 그래서 그런데 또는 및 혹은 즉 왜냐하면 만약",
    WordKind.PRONOUN: "나는 저는 우리는 너는 그는",
    WordKind.OBJECT: "것 수 때 대한 위한 관한 따른 같은 있는 없는 않는 않은 의한",
    WordKind.PARTICLE: """것은 것을 것이 것이다 것입니다 거야 거예요 겁니다 때문에 대해 대해서 위해 위해서 있다
        있습니다 있어요 없다 없습니다 통해 따라 동안 후에 전에 때는 때에 않다 않습니다 같다 같습니다 의해""",
    WordKind.ADVERB: "안 못 더 덜 매우 아주 정말 너무 가장 꽤 좀 잘 다시 아직 거의",
    WordKind.OPENER: "네 예 아니요 자 음",
}
_CHINESE = {
    WordKind.ARTICLE: """这 那 这个 那个 这些 那些 这种 那种 每 每个 一个 一种 各 某 几 两 两个 任何 所有 這 這個
        那個 這些 這種 那種 每個 一個 一種 幾 兩 兩個""",
    WordKind.PREPOSITION: """在 从 对 对于 把 将 被 向 往 和 与 跟 及 以 为 为了 由 由于 按照 根据 关于 比 给 让 使
        通过 從 對 對於 將 與 為 為了 於 由於 根據 關於 給 讓 通過""",
    WordKind.CONJUNCTION: """而 但 但是 可是 不过 所以 因为 因此 如果 虽然 即使 然后 并 并且 而且 或 或者 以及 当
        那么 不過 因為 雖然 然後 並 並且 當 那麼""",
    WordKind.PRONOUN: "我 你 您 他 她 它 我们 你们 他们 她们 它们 我們 你們 他們 她們 它們",
    WordKind.AUXILIARY: "是 有 会 能 可以 必须 应该 要 會 必須 應該",
    WordKind.ADVERB: "不 没 没有 很 太 更 最 也 都 就 才 再 又 还 非常 已 已经 正在 沒 沒有 還 已經",
    WordKind.PARTICLE: "上 下 里 裡 中 内 內 外 时 時 之间 之間 的话 的話 来说 來說",
    WordKind.OPENER: "好 嗯",
}
WORD_LISTS: Mapping[str, Mapping[WordKind, str]] = {
    "en": _ENGLISH,
    "es": _SPANISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "it": _ITALIAN,
    "pt": _PORTUGUESE,
    "nl": _DUTCH,
    "ru": _RUSSIAN,
    "pl": _POLISH,
    "cs": _CZECH,
    "uk": _UKRAINIAN,
    "sv": _SWEDISH,
    "da": _DANISH,
    "no": _NORWEGIAN,
    "nb": _NORWEGIAN,
    "fi": _FINNISH,
    "hu": _HUNGARIAN,
    "ro": _ROMANIAN,
    "ca": _CATALAN,
    "el": _GREEK,
    "bg": _BULGARIAN,
    "tr": _TURKISH,
    "id": _INDONESIAN,
    "ms": _INDONESIAN,
    "vi": _VIETNAMESE,
    "ar": _ARABIC,
    "fa": _PERSIAN,
    "he": _HEBREW,
    "hi": _HINDI,
    "ko": _KOREAN,
    "zh": _CHINESE,
    "yue": _CHINESE,
}
