"""How a machine says who it is, language by language; `wording` says what the fields mean."""

from arena.identity.wording import Language

LANGUAGES: tuple[Language, ...] = (
    Language(
        code="en",
        intro="i am|i'm|im|i was|i've been|i have been|my name is|my name's|my full name is|my real name is"
        "|my model name is|call me|refer to me as|know me as|know me by the name|named me|i got the name|i go by"
        "|i answer to|they call me|people call me|i belong to|i run on|i operate on|my base model is"
        "|my underlying model is|my model is|you are talking to|you're talking to|you are talking with"
        "|you're talking with|you are chatting with|you're chatting with|you are speaking to|you're speaking to"
        "|you are speaking with|you're speaking with|you are interacting with|you're interacting with"
        "|you are conversing with|this chat runs on|the name's",
        maker="my creator|my creators|my maker|my makers|my developer|my developers|my parent company|my provider"
        "|behind me is|behind me are|who made me is|who created me is|who built me is|who trained me is|i come from"
        "|i hail from|i originate from|my knowledge comes from|my first version was|my latest version was"
        "|my training was|i owe my existence to",
        posing="as|being",
        selves="i my me myself",
        outro="here|speaking|at your service|is my name|is my creator|is my maker|is my developer|is who made me"
        "|is what i'm called|is the name i go by|me included|myself included",
        me="me",
        made="made built created developed trained designed fine-tuned finetuned tuned pretrained pre-trained taught"
        " powered released produced programmed engineered provided hosted operated maintained invented launched"
        " published customised customized based distilled derived gave owned run runs powers hosts operates backed"
        " supported",
        by="by at from on in with of",
        nouns="ai assistant model models chatbot bot llm llms agent system machine program intelligence",
        kin="family series team models line-up generation",
        articles="a an the",
        joins="and or",
        link="actually really just simply merely only indeed in fact also currently now officially originally jointly"
        " independently proudly known called named is are was were be been for your my its it his their our this that"
        " which who whom to as one part member teams company lab labs laboratory research researchers researcher"
        " engineers people folks scientists inventors developers group arm division organization organisation"
        " corporation startup start-up firm inc institute university project community tech technology american"
        " canadian french chinese german large small big tiny multilingual multimodal conversational virtual digital"
        " artificial language generative open open-source open-weights open-weight weights free text textual helpful"
        " friendly harmless honest advanced powerful state-of-the-art cutting-edge new latest personal creative"
        " trusty humble little smart compact base fine instruction instruct version versions instance variant"
        " descendant successor release edition architecture network neural brand name names nickname full whose"
        " behind underlying specifically technically first most recent further have has had been s m re ve im i chat"
        " reasoning voice back then you talk chatting",
        duties="goes against|go against|violates|would violate|must follow|have to follow|comply with|bound by|due to",
        rules="policy policies guidelines rules terms use usage content safety",
        doubt="if when whenever imagine suppose whether pretend unless",
    ),
    Language(
        code="de",
        intro="ich bin|ich wurde|ich heiße|ich heisse|mein name ist|mein name lautet|ich nenne mich|nenn mich"
        "|nennen sie mich|man nennt mich|hier ist|hier spricht|du sprichst mit|sie sprechen mit"
        "|du sprichst gerade mit|sie sprechen gerade mit|du chattest mit|sie chatten mit|ich basiere auf"
        "|ich gehöre zu|ich gehöre zur|bin ich|wurde ich|mein modell ist",
        maker="ich stamme von|ich komme von|hinter mir steckt|hinter mir steht|hinter mir stehen|meine entwickler"
        "|mein entwickler|mein hersteller|mein schöpfer|meine schöpfer|meine entwicklerfirma ist|mein anbieter ist",
        posing="als",
        selves="ich mein meine mir mich",
        outro="ist mein name|zu ihren diensten|am apparat|hier",
        me="mich",
        made="entwickel* trainier* erstell* geschaffen gebaut programmier* erschaffen veröffentlich* bereitgestellt"
        " konzipier* angelernt betrieben gemacht",
        by="von bei durch vom",
        nouns="ki-assistent* ki-modell* sprachmodell* assistent* modell* chatbot* ki sprachassistent* ki-system"
        " textmodell*",
        articles="ein eine einer einem einen der die das dem den",
        joins="und oder",
        link="hat haben habe wurde worden ist sind nur auch eigentlich gerade namens genannt große* kleine*"
        " künstliche* intelligenz firma unternehmen team forschern forscher entwickler aus hilfreiche* auf basis des"
        " darauf dazu ihr ihre dein deine arbeiten unter namen heiße ich familie version welche* dort",
        doubt="wenn falls ob",
    ),
    Language(
        code="fr",
        intro="je suis|j'ai été|je m'appelle|mon nom est|mon nom c'est|moi c'est|appelez-moi|appelle-moi|on m'appelle"
        "|je me nomme|vous parlez à|vous parlez avec|tu parles à|tu parles avec|vous discutez avec|tu discutes avec"
        "|je suis basé sur|je fonctionne grâce à|ici",
        maker="je viens de chez|mes créateurs|mon créateur|mes développeurs|mon développeur|mes concepteurs",
        posing="en tant que|en tant qu'|comme",
        selves="je mon ma mes j",
        outro="à votre service|à ton service|est mon nom|pour vous servir",
        me="m me moi",
        made="créé créée développé développée entraîné entraînée conçu conçue formé formée mis mise point fabriqué"
        " programmé publié proposé alimenté propulsé basé fondé élaboré",
        by="par chez de d",
        nouns="assistant assistante modèle ia chatbot agent intelligence llm robot",
        articles="un une le la l les des",
        joins="et ou",
        link="a ont été est sont qui que c du au conversationnel conversationnelle virtuel langage langue"
        " artificielle grand petit large appelé nommé développeurs équipe équipes société entreprise française"
        " américaine chinoise version famille modèles base sur architecture chercheurs ingénieurs linguistique en à"
        " tant j ai utile",
        doubt="si quand",
    ),
    Language(
        code="es",
        intro="soy|fui|he sido|me llamo|mi nombre es|llámame|puedes llamarme|estás hablando con|hablas con"
        "|está hablando con|estoy basado en|pertenezco a|te habla",
        maker="mis creadores|mi creador|mis desarrolladores|mi desarrollador|vengo de|detrás de mí está|mi empresa es",
        posing="como",
        selves="soy mi mis me yo no",
        outro="a tu servicio|a su servicio|es mi nombre",
        me="me",
        made="cread* desarrollad* entrenad* diseñad* construid* programad* hecho hecha creó entrenó desarrolló diseñó"
        " publicó lanzad* basado impulsado",
        by="por en de",
        nouns="asistente modelo ia chatbot inteligencia bot llm robot agente",
        articles="un una el la los las",
        joins="y o e",
        link="ha sido que es del lenguaje grande gran virtual artificial conversacional llamado llamada empresa"
        " compañía china estadounidense francesa equipo investigadores ingenieros desarrolladores útil yo con mi"
        " nombre me versión familia arquitectura gratuito lingüístico idioma",
        doubt="si cuando",
    ),
    Language(
        code="pt",
        intro="sou|fui|me chamo|chamo-me|meu nome é|o meu nome é|pode me chamar de|você está falando com"
        "|estás a falar com|está a falar com",
        maker="meus criadores|meu criador|meus desenvolvedores|por trás de mim está",
        posing="como|enquanto",
        selves="eu meu minha sou não me",
        outro="ao seu dispor|é o meu nome|é meu nome",
        me="me",
        made="criad* desenvolvid* treinad* projetad* construíd* programad* feito feita criou treinou desenvolveu"
        " lançad* basead*",
        by="por pela pelo pelos pelas da do na no de",
        nouns="assistente modelo ia chatbot inteligência llm robô",
        articles="um uma o a os as",
        joins="e ou",
        link="eu que foi linguagem língua grande virtual artificial conversacional chamado chamada empresa equipe"
        " equipa pesquisadores engenheiros companhia meu nome é com versão família em",
        doubt="se quando",
    ),
    Language(
        code="it",
        intro="sono|sono stato|mi chiamo|il mio nome è|chiamami|stai parlando con|sta parlando con|mi baso su"
        "|mi hanno chiamato",
        maker="i miei creatori|il mio creatore|i miei sviluppatori",
        posing="come|in quanto|in qualità di",
        selves="io mio mia mi sono non",
        outro="al tuo servizio|al suo servizio|è il mio nome",
        me="mi",
        made="creat* sviluppat* addestrat* progettat* costruit* programmat* realizzat* allenat* basat*",
        by="da dalla dal dai dall di",
        nouns="assistente modello ia chatbot intelligenza llm",
        articles="un una uno il lo la l",
        joins="e o",
        link="stato stata io che è del della dell grande virtuale artificiale linguistico linguaggio conversazionale"
        " chiamato chiamata azienda società squadra team ricercatori mio nome versione famiglia ha hanno mi",
        doubt="se quando",
    ),
    Language(
        code="nl",
        intro="ik ben|ik werd|ik heet|mijn naam is|noem me|je praat met|je spreekt met|u spreekt met",
        maker="mijn makers|mijn maker|achter mij zit|achter mij staat",
        posing="als",
        selves="ik mijn",
        outro="tot uw dienst|tot je dienst|is mijn naam",
        me="mij me",
        made="gemaakt ontwikkeld getraind gebouwd ontworpen gecreëerd geprogrammeerd gebaseerd",
        by="door van bij op",
        nouns="ai-assistent ai-model taalmodel assistent model chatbot ai",
        articles="een de het",
        joins="en of",
        link="dat die is was werd wordt groot grote virtuele kunstmatige intelligentie genaamd bedrijf team naar naam"
        " heeft hebben behulpzame luister",
        doubt="als wanneer",
    ),
    Language(
        code="sv",
        intro="jag är|jag heter|mitt namn är|kalla mig|du pratar med|jag har",
        maker="mina skapare|min skapare",
        posing="som",
        selves="jag mitt min",
        me="mig",
        made="skapad* utvecklad* tränad* byggd* utvecklats skapats tränats",
        by="av från hos",
        nouns="ai-assistent ai-modell språkmodell* assistent modell chatbot ai",
        articles="en ett den det",
        joins="och eller",
        link="stor stort som har är företaget företag team virtuell",
    ),
    Language(
        code="pl",
        intro="jestem|nazywam się|mam na imię|zostałem|zostałam|moje imię to|mów mi|rozmawiasz z",
        maker="stworzyła mnie|stworzył mnie|stworzyli mnie|moim twórcą jest|moi twórcy",
        posing="jako",
        selves="ja mój moje nie mogę mam jestem",
        outro="do usług",
        me="mnie",
        made="stworzon* opracowan* wytrenowan* wyszkolon* zbudowan* zaprojektowan* rozwijan* trenowan* oparty",
        by="przez od z",
        nouns="asystent* model* chatbot* ai sztuczn* inteligencj*",
        joins="i oraz",
        link="językow* duż* polsk* firmę firmy firma zespół wirtualn* się o nazwie jestem jest",
    ),
    Language(
        code="cs",
        intro="jsem|jmenuji se|jmenuju se|mé jméno je|mluvíte s|mluvíš s",
        maker="vytvořila mě|vytvořil mě|mými tvůrci jsou",
        posing="jako",
        selves="já můj mé nemám jsem",
        me="mě mne",
        made="vytvořen* vyvinut* vytrénovan* trénovan* naprogramovan*",
        by="od z",
        nouns="asistent* model* chatbot* ai umělá inteligence",
        joins="a nebo",
        link="jazykov* velk* společnost* firm* virtuální který jsem byl byla",
    ),
    Language(
        code="ro",
        intro="sunt|eu sunt|am fost|mă numesc|numele meu este|vorbești cu|vorbiți cu",
        maker="creatorii mei|creatorul meu",
        posing="ca",
        selves="eu meu mea nu",
        me="m mă",
        made="creat* dezvoltat* antrenat* construit* proiectat*",
        by="de la",
        nouns="asistent* model* chatbot* ia ai inteligență",
        articles="un o",
        joins="și sau",
        link="lingvistic limbaj mare virtual care a fost compania firma echipa eu numit",
    ),
    Language(
        code="ru",
        intro="я|меня зовут|мое имя|называй меня|называйте меня|вы общаетесь с|ты общаешься с|я был|я была"
        "|можете звать меня",
        maker="меня создала|меня создал|меня создали|меня разработала|меня разработали|меня обучила|меня обучили"
        "|моя компания-разработчик|мой разработчик|мои разработчики|мой создатель|мои создатели",
        posing="как|будучи",
        selves="я мой моя мне меня",
        outro="к вашим услугам|на связи",
        me="меня",
        made="создан* разработан* обучен* разработчик* натренирован* выпущен* основан* сделан* создал* разработал*"
        " обучил*",
        by="от на",
        nouns="ассистент* модель модели нейросет* помощник* чат-бот* чатбот* ии интеллект* бот",
        joins="и а",
        link="больш* языков* виртуальн* искусственн* компани* команд* фирм* зовут имя русскоязычн* нейросетев*"
        " семейств* именем названием под был была есть просто исследовател* умн* это",
        doubt="если когда",
    ),
    Language(
        code="uk",
        intro="я|мене звати|моє ім'я|я був|я була",
        maker="мене створила|мене створив|мене створили|мене розробила|мене розробили|мої розробники",
        posing="як",
        selves="я мій моя мене",
        me="мене",
        made="створен* розроблен* навчен* натренован* створил* розробил*",
        by="від на",
        nouns="асистент* модель моделі нейромереж* помічник* чат-бот* ші",
        joins="і та",
        link="велик* мовн* віртуальн* штучн* інтелект* компані* команд* був була це",
    ),
    Language(
        code="tr",
        intro="benim adım|adım|bana",
        weak="ben|beni",
        selves="ben",
        me="beni",
        made="geliştir* eğitil* oluştur* tasarla* üretil* yarat* eğitti*",
        by="tarafından",
        nouns="asistan* model* zekâ* zeka* sohbet*",
        articles="bir",
        joins="ve",
        link="büyük dil yapay adlı şirketi nın nin ın in un ün nun nün",
    ),
    Language(
        code="vi",
        intro="tôi là|tên tôi là|mình là|tôi tên là|tên của tôi là|tôi được tạo ra bởi|tôi được phát triển bởi"
        "|bạn đang nói chuyện với",
        posing="là",
        selves="tôi mình",
        me="tôi",
        made="phát triển tạo ra huấn luyện đào tạo xây dựng",
        by="bởi của từ",
        nouns="trợ lý mô hình chatbot ai",
        joins="và",
        link="một ngôn ngữ lớn được do công ty ảo tên tôi là có bạn hữu ích lý nhân trí tuệ",
    ),
    Language(
        code="id",
        intro="saya adalah|saya|nama saya|nama saya adalah|aku adalah|aku|panggil saya|anda berbicara dengan",
        maker="pencipta saya adalah|pengembang saya adalah",
        posing="sebagai",
        selves="saya aku",
        me="saya",
        made="dilatih dikembangkan dibuat diciptakan dirancang melatih menciptakan membuat mengembangkan",
        by="oleh dari",
        nouns="asisten model chatbot ai kecerdasan",
        joins="dan atau",
        link="sebuah seorang bahasa besar yang buatan virtual perusahaan tim bernama adalah nama",
    ),
    Language(
        code="ar",
        intro="أنا|اسمي|يمكنك مناداتي|تتحدث مع",
        maker="تم تطويري بواسطة|تم تدريبي بواسطة|تم إنشائي بواسطة|تم تطويري من قبل|تم تدريبي من قبل|طورتني|دربتني"
        "|صنعتني|أنشأتني|طورتني شركة|دربتني شركة|أنشأتني شركة|صنعتني شركة",
        posing="بصفتي|باعتباري|كنموذج",
        selves="أنا لا",
        outro="بتطويري|بتدريبي|بإنشائي",
        made="تدريبي تطويري إنشائي تدريبه تطويره إنشاؤه طورته دربته صنعته أنشأته تطوير تدريب طوره مدرب",
        by="بواسطة من قبل لدى",
        nouns="نموذج مساعد روبوت ذكاء نموذجا",
        link="لغوي كبير عربي اصطناعي تم شركة فريق وقد الذكاء الاصطناعي محادثة ذكي",
    ),
    Language(
        code="fa",
        weak="من|نام من|اسم من",
        posing="به عنوان",
        selves="من نمی",
        made="توسعه آموزش ساخته طراحی ایجاد",
        by="توسط از",
        nouns="مدل دستیار هوش هستم است ربات چت‌بات",
        link="یک زبانی بزرگ مصنوعی شرکت داده شده که مجازی",
    ),
    Language(
        code="hi",
        intro="मुझे",
        weak="मैं|मेरा नाम",
        me="मुझे",
        made="प्रशिक्षित विकसित बनाया निर्मित तैयार बनाई बनाए",
        by="द्वारा ने",
        nouns="मॉडल सहायक चैटबॉट असिस्टेंट हूँ हूं है",
        link="एक बड़ा भाषा एआई कृत्रिम जिसे की का के कंपनी टीम बुद्धिमत्ता वर्चुअल नाम",
    ),
    Language(
        code="ko",
        maker="저를 만든 곳은|저를 만든 회사는|저를 개발한 곳은|저를 개발한 회사는",
        weak="저는|나는|전|제 이름은|저의 이름은|내 이름은|제가",
        selves="저는 제 저",
        outro="라고 합니다|이라고 합니다|라고 해요|라고 불러 주세요|어시스턴트입니다|언어 모델입니다|비서입니다"
        "|챗봇입니다",
        made="개발* 훈련* 만든* 만들* 제작* 학습* 구축* 제공*",
        by="에서 에 의해 이 가",
        nouns="입니다* 이에요* 예요* 이라고* 라고* 모델* 비서* 어시스턴트* 챗봇* 인공지능* 이고 이며",
        link="연구원* 연구소* 대규모 언어 초거대 거대 사에서 사의 회사 의 이라는 라는 에서 이 가 은 는 ai",
        doubt="만약",
    ),
    Language(
        code="zh",
        intro="我是|我就是|我叫|我叫做|我名叫|我名为|我的名字是|我的名字叫|我的中文名是|我的英文名是|我的中文名叫"
        "|我的全名是|我的身份是|本人是|这里是|叫我|称呼我为|称我为|我基于|我属于|我的底层模型是|我的基础模型是"
        "|我的基座模型是|我的模型是|我使用的是|你正在和|您正在和|您正在与|你正在与|名字叫|是来自",
        maker="我来自|我出自|我背后的团队是|我背后的公司是|我背后是|我的开发者是|我的创造者是|我的研发团队是"
        "|我的开发团队是|训练我的是|开发我的是|创造我的是",
        weak="我由",
        posing="作为|身为",
        selves="我",
        outro="创造 了 我|开发 了 我|训练 了 我|研发 了 我|制作 了 我|设计 了 我|打造 了 我|发明 了 我|创建 了 我"
        "|是我的名字|为您服务|为你服务|是 我 的 开发者|是 我 的 创造者",
        made="开发 训练 研发 创建 打造 推出 设计 构建 研制 提供支持 创造 培训 提供 发布 自主研发 独立开发 发明 制作"
        " 制造 出品 支持 驱动 微调",
        by="由 来自 被",
        nouns="模型 助手 大模型 人工智能 智能助手 语言模型 机器人 大语言模型 语言大模型 ai助手 助理 作品 聊天机器人",
        joins="和 与 以及",
        link="一个 一款 一种 一名 一位 的 是 叫 基于 名为 叫做 名叫 名字 团队 公司 集团 旗下 有限公司 科技 实验室"
        " 架构 大规模 超大规模 大型 知识增强 认知 智能 只是 个 系列 虚拟 我 也 共同 语言 不过 人工 全新 最新 中文名"
        " 英文名 自主 自研 股份 研究院 上海 北京 深圳 杭州 所 了 并 专属 您的 你的",
        duties="违反|违背",
        rules="政策 准则 规定 使用政策 内容政策",
        doubt="如果 假如 假设 当 若",
    ),
    Language(
        code="ja",
        maker="私を開発したのは|私を作ったのは|私の開発元は|私の開発者は",
        weak="私は|わたしは|僕は|私の名前は|名前は|私が|こちらは",
        selves="私",
        outro="と申します|といいます|と言います|とお呼びください|という名前です|言語モデル です|大規模言語モデル です"
        "|モデル です|アシスタント です|aiアシスタント です|ai です",
        made="開発 作成 訓練 トレーニング 設計 提供 構築 作られ 学習 開発され 作った",
        by="によって が により 社が",
        nouns="です モデル アシスタント aiアシスタント 言語モデル 大規模言語モデル 人工知能 チャットボット という"
        " である",
        link="の 社 された した して され ました 株式会社 研究所 大規模 言語 対話型 ai 、",
        doubt="もし",
    ),
)
