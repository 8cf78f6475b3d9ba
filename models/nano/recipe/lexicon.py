"""Words that people say and Nano need not know, and parts that sentences are made of."""

from pathlib import Path

from vocabulary import ANIMALS, PLURALS, VERBS

PLURAL_OF = {singular: plural for plural, singular in PLURALS.items() if singular in ANIMALS}
SPOKEN_VERBS = [verb for verb in VERBS if verb not in {"going", "seen"}]
PAST = "saw found met heard had made got bought took left kept brought built lost told".split()
PLACES = "garden forest market school park farm village street kitchen office beach river lake mountain shop house town".split()
NAMES = "john mary peter anna david susan tom lucy mike sarah george emma paul jane".split()
RARE = """yesterday beneath corner carpet silver pencil trousers cupboard pepper lemon butter carrot potato tomato onion
violin guitar piano hammer ladder bucket blanket pillow curtain mirror candle lantern castle tower prison church temple
museum theatre library hospital factory engine rocket satellite planet galaxy comet gravity magnet battery cable circuit
software network password keyboard printer camera scanner invoice contract budget salary manager lawyer soldier captain
sailor pirate wizard dragon princess giant shadow whisper thunder lightning blizzard volcano earthquake harvest autumn spring
century decade moment rhythm melody chorus painter sculpture poem novel chapter grammar science history physics chemistry
biology algebra triangle circle square diamond crystal copper iron steel plastic rubber leather cotton velvet jacket trouser
sweater necklace bracelet umbrella luggage passport ticket journey adventure accident emergency ambulance medicine vaccine
fever headache shoulder elbow stomach muscle breathe whistle stumble wander gather explain describe measure compare repair
polish decorate celebrate promise argue complain apologise curious nervous jealous brave clever gentle stubborn
account address advice airline apartment appointment article artist audience bakery balcony bargain basement battle bedroom
bicycle blood bottle brain branch breath brick calendar campaign cancer candidate capital career ceiling champion charity
chemist citizen client climate clinic closet coach colleague college column committee community company concert conference
congress copy costume cottage council counter couple courage course court cousin credit crime crisis crowd culture customer
database deadline debate deposit desert designer desk device diet discount disease drawer dress driver editor election elevator
employee energy engineer entrance error essay estate evidence exam exchange exercise exit expert export fabric failure fashion
festival fiction fiction flight flour forecast fortune freedom furniture future gallery garage gender ghost glass goal
government grade graduate guest guide habit heating height helmet heritage holiday hotel housing hunger husband identity income
industry injury inspector insurance interview invention invitation itinerary judge jungle justice kettle kingdom label
landlord language laundry layer leader league legend lecture level licence location luck magazine majority maker meal mechanic
medal member memory menu method mission mistake mixture mobile monument mortgage motor muscle mystery nation nature
neighbour network notice nurse object ocean opinion opportunity option orchestra oven owner oxygen package painting pair palace
parcel partner patient pattern payment penalty pension period permission person petrol photo pilot plate platform player poison
police policy pollution population portrait position powder power president pressure prize process product profit programme
project property protein protest province pump pupil purpose quality quarter queue railway range reason receipt recipe record
refund region relationship religion rent report reservation restaurant result reward rice ring rival robot role roof route
safety sandwich scale schedule screen secret security server service shelf shelter shoulder shower signal silk site skill
smile smoke socket soil solution source space speech speed spirit sport stadium staff stage statue steam stock strategy
stream student studio style success sugar suitcase supermarket surface surgery survey symbol system talent tax teenager
temperature tennis text theory thief tourist traffic trainer transport treatment trend tribe trip tunnel university
vehicle version victory video village visitor volume voter wallet warning wedding weekend width window winner witness
wonder worker yard youth zone
accept achieve admire advise afford agree allow announce arrange arrive avoid bake belong boil book borrow burn calculate
carry catch choose climb collect connect consider contain cook cost count cross dance decide deliver depend deserve destroy
develop discuss draw dream earn enjoy enter exist expect fail fasten fetch fight fill finish fix float fold follow freeze
greet grow guess hang hate hide hire hope hunt ignore improve include invite join judge jump kick kiss knock last laugh
lay lend lift mend mix move order organise own pack paint park pass pick plan plant pour practise prefer prepare press prevent
print pull push reach receive recommend refuse relax remove rent replace reply report rest return ride rise roll rush
sail save seem serve sew shake share shine shout sign sing skip smell solve spend spread steal stick suggest suit supply suppose
survive swim taste tear thank throw tie touch travel trust type visit vote wash waste weigh win wish worry wrap
angry awful bitter blind bored broken busy calm careful cheap comfortable common correct crazy cruel daily deaf deep digital
double dry due eager electric entire equal expensive extra fair false famous fat favourite final flat foreign formal fresh
friendly funny global healthy heavy honest huge ideal ill junior kind lazy legal local lonely lovely loud lucky
married mild modern narrow natural negative normal normal official ordinary perfect plain pleasant polite poor popular possible
private proud public pure quick quiet rare raw ready recent regular rich rough rude serious sharp silent similar simple
single slim smart smooth social soft sour special square steep stupid sudden sweet tall terrible thick thin tight tiny
typical ugly unique upset urgent useful usual vast violent wet wide wild wise wooden""".split()
PROPER = """rome norway paris london berlin madrid vienna dublin oslo prague tokyo boston chicago texas canada brazil
france germany italy spain sweden poland greece turkey india china japan africa europe asia january february april june
july august september october november december oxford cambridge manchester scotland ireland wales denmark finland
portugal lisbon milan venice naples geneva zurich moscow cairo sydney melbourne toronto seattle denver houston miami
dallas atlanta robert william james thomas daniel martin oliver charlotte sophie olivia alice laura julia maria helen
rachel rebecca andrew stephen kevin brian simon patrick victoria elizabeth margaret catherine smith jones brown taylor
wilson johnson williams""".split()
LANGUAGES = ["spanish", "french", "german", "italian", "chinese"]
ONSETS = "b d f g h j k l m n p r s t v w z sh ch th br cr st pl tr gr".split()
VOWELS = "a e i o u ai ee oo ou".split()
CODAS = ["", "", *"b d g k l m n p s t nd st".split()]
FILLERS = ["um", "uh", "well", "hmm", "so"]
REPLIES = (
    "i do/i don't/yes i do/no i don't/yes it is/no it is not/i think so/i don't think so/not really/not yet/not now/not today/me too/i like it",
    "that one/this one/the first/the second/the last one/both/none/all of them/a little/a lot/very good/very much/sounds good/it's fine",
    "no problem/that is fine/i'm fine/fine thanks/good thanks/not bad/never/always/sometimes/often/nothing/something/everything/nobody/somebody",
    "right here/over there/at home/at work/here/there/up/down/left/right/more/less/enough/really/exactly/of course not/i hope so/i know",
    "let me think/i'm not sure/it depends/whatever/either/anything/my mother/my brother/the weather/coffee/tea please/water please/just me",
    "great/perfect/wonderful/terrible/too much/too late/almost/yes and no/if you want/why not/good idea/you too/same here",
    "good night/good morning/good evening/see you tomorrow/thank you very much/i'm tired/i'm hungry/i'm bored/i'm home/i'm back/let's go/i'm here",
)
"""What people answer in a few words, and with what they begin and end."""
SMALL_TALK = (
    "how are you/hello how are you/hi how are you/how are you doing/how is it going/what's up/what's your name/what is your name/who are you",
    "what can you do/where are you from/where are you/how old are you/can you hear me/are you there/can you help me/help me/i need help",
    "tell me a joke/tell me a story/tell me something/tell me more/sing a song/say something/what do you think/what else/what now/what's that",
    "why/why not/how/when/where/who/what/which one/since when/how come/how so/how far/how long/how much/how many/for how long/are you sure",
    "is that true/is that so/and then/and you/what about you/what does it mean/what day is it/what's the time/what time is it/what happened",
    "do you know/do you know me/do you like me/do you like music/i have a question/can i ask you something/what is this/who said that/says who",
)
"""Short questions."""
BLIND_REPLIES, BLIND_SMALL_TALK = (
    half.splitlines() for half in (Path(__file__).parent / "blind_replies.txt").read_text().strip().split("\n\n")
)
"""The same for tests alone, by somebody who had seen neither of them."""
