"""What Nano can hear, decide and say: the classes of every head, in their order in the graph.

The order is part of every data shard and of every checkpoint: add new classes at the end of a group only together
with new data.
"""

from pathlib import Path

BLANK, UNKNOWN = "<blank>", "<unk>"
WORDINGS = Path(__file__).parent / "wordings"

ANIMALS = """cat dog horse cow pig sheep goat duck chicken lion tiger bear wolf fox rabbit mouse monkey elephant giraffe
zebra snake frog eagle owl penguin dolphin whale shark camel donkey kangaroo panda squirrel turtle parrot swan bee spider
deer otter hamster lizard crow robin hen goose turkey salmon crab ant""".split()

UNITS = "one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBERS = ["zero", *UNITS, *TEENS, *TENS, "hundred", "thousand", "first", "seconds", "third", "half"]

COLOURS = "red blue green yellow orange purple black white brown pink grey golden".split()

COMMANDS = """stop wait pause continue resume remind me timer start set cancel never mind count animals how long many much
every until take took finish finished done ready begin translate spanish english next number repeat again louder quieter
slower faster louder quiet silence search look up find open close play show tell read write call send message email note
list add remove delete save change turn on off help minutes hour day week time o'clock today tomorrow yesterday tonight
morning afternoon evening night now later before after ago soon alarm clock reminder meeting weather news music song story
joke question answer word sentence name spell mean correct wrong right true false sum plus minus times equals divided
percent""".split()

TALK = """hello hi hey goodbye bye please thanks thank welcome sorry excuse yes no okay yeah yep nope sure maybe perhaps uh
huh um hmm mhm oh ah well actually instead really exactly great good bad fine nice cool""".split()

FUNCTION = """the a an and or but so if because that this these those there here it its i you he she we they him her us
them my your his our their is are was were be been am do does did don't have has had can could will would shall should may
might must not what when where who why which to of in for with from at by about into over under near behind between through
without as than then too also very just only even still already almost all some any no every each other another more most
less few lot both one's like let let's it's that's i'm what's i'll""".split()

VERBS = """go went going come came get got make made see saw seen look looked know think thought want need like love feel
say said talk speak walk walked run ran drive eat ate drink sleep work buy bought give gave put keep kept leave left live
lived learn use try ask bring meet met happen remember forget understand hear heard believe build pay show sit stand
win lose teach check move wear""".split()

NOUNS = """man woman people child boy girl friend mother father brother sister family doctor teacher house home room kitchen
door window table chair bed car bus train plane road street city town village country school office shop market park garden
farm forest river lake sea mountain beach island bridge water coffee tea milk bread cheese apple egg cake soup food breakfast
lunch dinner money book paper phone computer picture bag box key hat shoe shirt ball game team world year month monday
tuesday wednesday thursday friday saturday sunday summer winter rain snow sun wind sky tree flower fire thing place way
side part end head hand eye face body""".split()

ADJECTIVES = """big small little old new young hot cold warm happy sad tired hungry fast slow high low short early late easy
hard different same important beautiful strange dark light full empty clean dirty strong last whole own""".split()


def _unique(*groups: list[str]) -> list[str]:
    return list(dict.fromkeys(word for group in groups for word in group))


RESULT, DRAFT, DROPPED, AGE, SAME = "<result>", "<draft>", "<dropped>", "<age>", "<same>"
MARKS = [RESULT, DRAFT, DROPPED, AGE, SAME]
"""What the runtime tells in the stream of typed text: an answer of the background waits to be said, a draft to what the user is
saying is there, what was offered is void, so long ago was what was noted, and this word of the note is in its age, too. Nobody says them."""

WORDS = [
    BLANK,
    UNKNOWN,
    *_unique(ANIMALS, NUMBERS, COLOURS, COMMANDS, TALK, FUNCTION, VERBS, NOUNS, ADJECTIVES),
    *MARKS,
]

FIRST_MARK = WORDS.index(MARKS[0])

TYPED = [*WORDS, *(WORDINGS / "vocabulary.txt").read_text().split()]
"""What is read: `WORDS`, and those that people type in the wordings beside this file. Nano reads more than it hears, since reading needs no sound."""

IRREGULAR = {"wolves": "wolf", "foxes": "fox", "mice": "mouse", "geese": "goose", "turkeys": "turkey", "lots": "lot"}
_SAME_PLURAL = {"sheep", "deer", "salmon", "wolf", "fox", "mouse", "goose"}
PLURALS = {
    **{f"{animal}s": animal for animal in ANIMALS if animal not in _SAME_PLURAL},
    **IRREGULAR,
    "animal": "animals",
    "second": "seconds",
    "minute": "minutes",
    "hours": "hour",
    "days": "day",
    "weeks": "week",
    "friends": "friend",
    "books": "book",
    "apples": "apple",
    "eggs": "egg",
    "numbers": "number",
    "things": "thing",
}
"""Spoken forms that share a class with another form: Nano writes one form for both."""

SPOKEN_FORMS = {"s": "seconds", "sec": "seconds", "min": "minutes", "100": "hundred", "ok": "okay"}
"""How people type what they would say; digits besides."""

_SPANISH = """cat gato dog perro horse caballo cow vaca pig cerdo sheep oveja goat cabra duck pato chicken pollo lion león tiger tigre
bear oso wolf lobo fox zorro rabbit conejo mouse ratón monkey mono elephant elefante giraffe jirafa zebra cebra snake serpiente
frog rana eagle águila owl búho penguin pingüino dolphin delfín whale ballena shark tiburón camel camello donkey burro
kangaroo canguro panda panda squirrel ardilla turtle tortuga parrot loro swan cisne bee abeja spider araña deer ciervo otter nutria
hamster hámster lizard lagarto crow cuervo hen gallina goose ganso turkey pavo salmon salmón crab cangrejo ant hormiga
zero cero one uno two dos three tres four cuatro five cinco six seis seven siete eight ocho nine nueve ten diez eleven once
twelve doce thirteen trece fourteen catorce fifteen quince sixteen dieciséis seventeen diecisiete eighteen dieciocho
nineteen diecinueve twenty veinte thirty treinta forty cuarenta fifty cincuenta sixty sesenta seventy setenta eighty ochenta
ninety noventa hundred cien thousand mil
red rojo blue azul green verde yellow amarillo orange naranja purple morado black negro white blanco brown marrón pink rosa
grey gris golden dorado
hello hola goodbye adiós please por_favor thanks gracias yes sí no no good bueno bad malo big grande small pequeño old viejo new nuevo
man hombre woman mujer boy niño girl niña friend amigo mother madre father padre brother hermano sister hermana doctor médico
house casa kitchen cocina door puerta window ventana table mesa chair silla bed cama car coche train tren street calle city ciudad
school escuela garden jardín forest bosque river río lake lago sea mar mountain montaña beach playa water agua coffee café tea té
milk leche bread pan cheese queso apple manzana egg huevo soup sopa money dinero book libro paper papel bag bolsa box caja
hat sombrero shoe zapato shirt camisa ball pelota monday lunes tuesday martes wednesday miércoles thursday jueves friday viernes
saturday sábado sunday domingo summer verano winter invierno rain lluvia snow nieve sun sol wind viento sky cielo tree árbol
flower flor fire fuego hand mano eye ojo today hoy tomorrow mañana yesterday ayer morning día night noche""".split()
SPANISH = dict(zip(_SPANISH[::2], (word.replace("_", " ") for word in _SPANISH[1::2])))
"""What is shown of a word that the user says, while they want it translated."""

OTHER_FORMS = {name: [form for form, same in PLURALS.items() if same == name] for name in dict.fromkeys(PLURALS.values())}
"""What else is said for a class than its name: a word that is known in one form only is not heard in another."""


def shown(english: str) -> str:
    """The class of showing the translation of `english`."""
    return f"es:{english}"


SILENT = "<silent>"
SHOWN = [shown(english) for english in SPANISH]
SAY = [SILENT, *UNITS, *TEENS, "twenty", "thirty", "forty", "fifty", "sixty", "reminder", "okay", *SHOWN]
"""Agent words. `reminder` and `okay` are spoken as the phrases that the bundle's manifest gives; those in `SHOWN` are shown, as
their translation, and not spoken."""

MANNERS = ["louder", "quieter", "slower", "faster"]
ACT = ["none", "stop", "delegate", "cancel", "backchannel", "relay", "commit", "continue", "repeat", *MANNERS, "note", "handle"]

FLOOR = ["silent", "speaking", "holding", "correcting", "yielded", "barge-in", "backchannel", "elsewhere"]

PHONES = """sil aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z
zh""".split()
PHONE_IGNORED = 255

_WORD_INDEX = {word: index for index, word in enumerate(WORDS)}
_TYPED_INDEX = {word: index for index, word in enumerate(TYPED)}
SAY_INDEX = {word: index for index, word in enumerate(SAY)}
ACT_INDEX = {name: index for index, name in enumerate(ACT)}
FLOOR_INDEX = {name: index for index, name in enumerate(FLOOR)}
QUIET = (FLOOR_INDEX["silent"], FLOOR_INDEX["yielded"])
"""Floors that nobody holds."""
PHONE_INDEX = {name: index for index, name in enumerate(PHONES)}


def canonical(word: str) -> str:
    """The form of `word` that the transcript uses: singular animals and units."""
    return PLURALS.get(word, word)


def word_class(word: str) -> int:
    """The class of a spoken word; the unknown class for words outside the vocabulary."""
    return _WORD_INDEX.get(canonical(word), _WORD_INDEX[UNKNOWN])


def typed_class(word: str) -> int:
    """The class of a typed word, which is that of a spoken one where there is such a class; the unknown class for others."""
    return _TYPED_INDEX.get(canonical(word), _TYPED_INDEX[UNKNOWN])


def is_mark(word):
    """Whether a class, or each of an array of them, is a mark of the runtime, which nobody types."""
    return (word >= FIRST_MARK) & (word < len(WORDS))


def number_words(value: int) -> list[str]:
    """How a whole number from 0 to 99 is said, in words of the vocabulary."""
    if not 0 <= value <= 99:
        raise ValueError(f"a number from 0 to 99 was expected, got {value}")
    if value < 20:
        return [NUMBERS[value]]
    tens, unit = divmod(value, 10)
    return [TENS[tens - 2], *([UNITS[unit - 1]] if unit else [])]


def typed_forms() -> dict[str, str]:
    """What a typed word stands for, where it is not a class itself: class names with spaces between them."""
    digits = {str(value): " ".join(number_words(value)) for value in range(100)}
    return {**PLURALS, **digits, **SPOKEN_FORMS}
