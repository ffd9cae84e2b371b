"""Whom an answer can name: families of models, and their makers. Plain data; `names` reads it."""

from collections.abc import Iterator
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A name's words are set apart by blanks: "gpt 4" is found in GPT-4, GPT4 and gpt 4 alike.


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models with one name: `words` are its spellings, `native` those in scripts without capitals.

    `ordinary` says that a word of it means something else as well (a wind, a first name, a verb, a sign of the zodiac):
    alone it counts only where somebody introduces himself.
    """

    words: str
    native: str = ""
    makers: str = ""
    ordinary: bool = False


# One line a family: spellings, then makers, each set apart by `|`.
FAMILIES: tuple[Family, ...] = (
    Family(words="gpt", makers="openai", ordinary=True),
    Family(
        words="chatgpt|chat gpt|instructgpt|davinci 003|text davinci",
        native="チャットgpt|챗gpt|챗지피티|чатгпт|تشات جي بي تي|شات جي بي تي|चैटजीपीटी|चैट जीपीटी",
        makers="openai",
    ),
    Family(words="claude", native="클로드|クロード|клод|كلود|क्लॉड", makers="anthropic", ordinary=True),
    Family(words="gemini", native="제미나이|ジェミニ|جيميني|जेमिनी|джемини", makers="google|deepmind", ordinary=True),
    Family(words="gemma|palm|bard|lamda", native="젬마|バード", makers="google|deepmind", ordinary=True),
    Family(words="llama|lama", native="라마|ラマ", makers="meta|facebook", ordinary=True),
    Family(words="alpaca|koala|dolly|orca|bloom|pythia|falcon|zephyr|starling|dolphin|hermes|vicuna", ordinary=True),
    Family(words="mistral|magistral", native="미스트랄", makers="mistral ai", ordinary=True),
    Family(words="mixtral|ministral|codestral|pixtral|devstral|voxtral|mathstral|le chat", makers="mistral ai"),
    Family(
        words="qwen|qwq|qvq|qianwen|tongyi qianwen|codeqwen",
        native="通义千问|通義千問|千问|千問|通义|큐원",
        makers="alibaba|alibaba cloud",
    ),
    Family(
        words="deepseek|deep seek", native="딥시크|ディープシーク|дипсик|ديب سيك", makers="deepseek ai|deepseek inc"
    ),
    Family(words="grok", native="그록", makers="xai|x ai", ordinary=True),
    Family(words="phi|orca|copilot|bing|bing chat|cortana", makers="microsoft", ordinary=True),
    Family(words="kimi", makers="moonshot ai", ordinary=True),
    Family(words="nemotron", makers="nvidia"),
    Family(words="granite", makers="ibm", ordinary=True),
    Family(words="smollm|smol lm|smolvlm|starcoder|starcoder 2|bloomz", makers="hugging face|huggingface"),
    Family(words="command|aya|command a", makers="cohere|cohere for ai", ordinary=True),
    Family(words="yi", makers="01 ai", ordinary=True),
    Family(words="olmo|tulu|molmo", makers="ai 2|allen institute", ordinary=True),
    Family(words="nova|titan", makers="amazon", ordinary=True),
    Family(words="dbrx", makers="databricks"),
    Family(words="glm|spark|step|seed|ling|ring|pi|solar|luminous|arctic|jamba|ernie|minimax|mimo|o", ordinary=True),
    Family(words="chatglm|cogvlm|codegeex", native="智谱清言|智谱轻言", makers="zhipu|zhipu ai"),
    Family(words="ernie bot|wenxin yiyan|wenxin", native="文心一言|文心大模型|文心", makers="baidu"),
    Family(words="doubao", makers="bytedance"),
    Family(words="", native="豆包|混元|星火|天工|盘古|百川|小爱同学|元宝|海螺", ordinary=True),
    Family(words="hunyuan", native="腾讯混元|腾讯元宝", makers="tencent"),
    Family(words="iflytek spark|sparkdesk", native="讯飞星火|星火认知大模型", makers="iflytek"),
    Family(words="baichuan", native="百川大模型"),
    Family(words="internlm|internvl", native="书生浦语|书生·浦语", makers="shanghai ai laboratory|shanghai ai lab"),
    Family(words="exaone", native="엑사원", makers="lg|lg ai research"),
    Family(words="hyperclova|hyperclova x|clova x", native="하이퍼클로바x|하이퍼클로바", makers="naver"),
    Family(words="yandexgpt|yandex gpt|yagpt", native="яндексгпт", makers="yandex"),
    Family(words="gigachat|giga chat", native="гигачат", makers="sber"),
    Family(words="alice|siri|alexa|cortana|reka|lucie|velvet|minerva|sabia|bielik|jais|allam|fanar", ordinary=True),
    Family(words="", native="алиса|алисой|جيس|علام|فنار", ordinary=True),
    Family(words="stablelm|stable lm|stablebeluga|stablecode", makers="stability ai"),
    Family(words="eurollm|teuken|salamandra|apertus|pharia|plamo|swallow|elyza|rinna|krutrim|sarvam", ordinary=True),
    Family(words="phogpt|seallm|sea lion|sailor 2|vinallama|openchat|openhermes|wizardlm|wizardcoder|openorca|guanaco"),
    Family(
        words="open assistant|openassistant|redpajama|gpt neox|gpt neo|gpt j|nous hermes|tinyllama|openelm|cerebras gpt"
    ),
    Family(words="longcat|kat coder|trinity|inflection|lfm|mpt|rwkv|jurassic|persimmon|xgen|nvlm", ordinary=True),
)

# Makers count only where somebody introduces himself, whether they stand above or here.
MAKERS = (
    "google|google deepmind|google ai|google brain|deepmind|openai|anthropic|meta ai|facebook|facebook ai|microsoft"
    "|microsoft research|microsoft azure|amazon web services|aws|ibm|ibm research|nvidia|xai|x ai|elon musk|sam altman"
    "|mistral ai|mistralai|cohere for ai|cohere labs|ai 21|ai 21 labs|databricks|mosaicml|mosaic ml|hugging face"
    "|huggingface|huggingfacetb|stability ai|eleutherai|eleuther ai|allen institute for ai"
    "|allen institute for artificial intelligence|allen ai|ai 2|technology innovation institute|tii|nous research"
    "|together ai|perplexity ai|inflection ai|reka ai|upstage ai|lg ai research|lg ai|lg|naver|kakao|samsung|skt"
    "|sk telecom|alibaba|alibaba cloud|alibaba group|aliyun|tongyi lab|tencent|baidu|bytedance|zhipu|zhipu ai|zhipuai"
    "|z ai|tsinghua|tsinghua university|keg lab|moonshot ai|iflytek|sensetime|stepfun|baichuan|baichuan ai|01 ai"
    "|zero one ai|huawei|xiaomi|kuaishou|kunlun|shanghai ai laboratory|shanghai ai lab"
    "|shanghai artificial intelligence laboratory|deepseek ai|deepseek inc|deepseek company|modelbest|openbmb|yandex"
    "|sber|sberbank|sberdevices|aleph alpha|epfl|eth zurich|eth zuerich|cscs|swiss ai|swiss ai initiative|lmsys"
    "|lmsys org|large model systems organization|uc berkeley|stanford|stanford university|laion|teknium"
    "|preferred networks|rinna|elyza|ntt|rakuten|cyberagent|sakana ai|fujitsu|sarvam|sarvam ai|krutrim|core 42|g 42"
    "|mbzuai|sdaia|qcri|maritaca ai|maritaca|speakleash|cyfronet|bigscience|bigcode|cerebras|liquid ai|arcee|arcee ai"
    "|servicenow|salesforce|nexusflow|abacus ai|character ai|openrouter|ollama|vinai|vingroup|zalo|indosat|multiverse"
    "|linagora|openllm france|barcelona supercomputing center|fraunhofer|dfki|silo ai|ai sweden|thinking machines"
    "|prime intellect"
)
# Makers whose names are words as well: without a capital they are nobody.
ORDINARY_MAKERS = "meta|apple|amazon|cohere|snowflake|perplexity|upstage|reka|inflection|minimax"
NATIVE_MAKERS = (
    "谷歌|微软|阿里云|阿里巴巴|阿里|达摩院|通义实验室|腾讯|百度|字节跳动|抖音|智谱ai|智谱华章|智谱|月之暗面|深度求索"
    "|零一万物|科大讯飞|讯飞|商汤|商汤科技|阶跃星辰|百川智能|稀宇科技|上海稀宇科技|昆仑万维|华为|小米|面壁智能"
    "|清华大学|清华|上海人工智能实验室|快手|幻方|英伟达|亚马逊|脸书|グーグル|マイクロソフト|アンソロピック|オープンai"
    "|メタ|楽天|ソフトバンク|エヌビディア|구글|오픈ai|오픈에이아이|앤트로픽|앤스로픽|메타|마이크로소프트|네이버|카카오"
    "|업스테이지|삼성|엘지|гугл|яндекс|сбербанк|сбер|майкрософт|антропик|опенаи|جوجل|غوغل|أوبن إيه آي|أوبن أي آي"
    "|مايكروسوفت|ميتا|أنثروبيك|أنثروبك|गूगल|ओपनएआई|ओपन एआई|माइक्रोसॉफ्ट|मेटा|एंथ्रोपिक|एन्थ्रोपिक"
)

# Numbered in everyday life (Step 2, the Gemini 4 flight, O3): a bare number after them names no model.
NUMBERED = _words("step o pi gemini seed spark titan")

# What follows a family's name and is masked with it.
QUALIFIERS = _words(
    "turbo mini pro flash sonnet opus haiku instruct chat coder plus max ultra large medium small nano lite air vl"
    " base preview latest exp experimental thinking reasoner vision omni edge scout maverick micro premier express bot"
    " v"
)

# A tail of an entry's name that says how a model is run, not which one it is.
SETTINGS = _words(
    "instruct chat it base hf gguf awq gptq fp8 bf16 int4 int8 latest preview exp experimental free beta online tee"
    " thinking dpo sft rlhf aligned q4 q5 q6 q8 km ks default"
)

# Names made of nothing but these tell nothing: they count only where somebody introduces himself.
GENERIC = _words(
    "model assistant ai answer response reply candidate contestant system version option player left right one two"
    " first second a b c x y test baseline default chat bot terse verbose brief fast slow quick small large medium big"
    " tiny mini max pro plus turbo base new old best local remote cheap strict creative plain parrot echo fails fake"
    " dummy demo sample example alpha beta gamma delta omega red blue green black white gold silver my our your the"
    " this champion challenger control variant experiment team company support help search code coder writer editor"
    " judge 模型 大模型 小模型 语言模型 助手 智能助手 机器人 测试 基线 版本 默认 选手 モデル アシスタント テスト 모델"
    " 비서 테스트 модель ассистент тест"
)


def family_names() -> Iterator[str]:
    """Every name of a family, in every spelling."""
    for family in FAMILIES:
        yield from filter(None, f"{family.words}|{family.native}".split("|"))


def maker_names() -> Iterator[str]:
    """Every name of a maker; some come twice."""
    yield from f"{MAKERS}|{ORDINARY_MAKERS}|{NATIVE_MAKERS}".split("|")
    for family in FAMILIES:
        yield from filter(None, family.makers.split("|"))
