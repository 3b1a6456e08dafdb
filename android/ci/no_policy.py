#!/usr/bin/env python3
"""No call policy in Kotlin: the app shows what the core decides, and names nothing that only the core should know.

usage: no_policy.py FOLDER | --self-test

Fails where a Kotlin file has
  status   a status code of SIP as a bare number, or "486 Busy" in a text. A number whose name says its unit
           (`FADE_MILLIS = 200`, `200.dp`) is none: the house names units anyway
  codec    a codec by name, in a text or as a word of an identifier (`usePcmu`)
  method   a SIP method: in capitals as a text's word, or as a word of an identifier where it means nothing else
  wire     words of the protocol in a text: SIP/2.0, CSeq, rtpmap ...
  retry    a retry counted or timed: a number on a line whose identifiers speak of retries or attempts; any back-off
Comments may say what they like. What is right all the same stands in no_policy.allow, each with its reason; a line
there that nothing needs is a fault too.

Source of the codes: IANA's registry of SIP response codes. Does not know what a name computed elsewhere means: it finds
policy written by habit, not policy that hides.
"""
import re
import sys
from pathlib import Path
from typing import NamedTuple

ALLOWED = Path(__file__).with_suffix(".allow")

STATUS = {
    100, 180, 181, 182, 183, 199, 200, 202, 204, 300, 301, 302, 305, 380,
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 420, 421, 422, 423, 424,
    425, 428, 429, 430, 433, 436, 437, 438, 439, 440, 469, 470, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 491,
    493, 494, 499, 500, 501, 502, 503, 504, 505, 513, 555, 580, 599, 600, 603, 604, 606, 607, 608, 699,
}
UNIT = re.compile(
    r"(millis|ms|seconds|minutes|dp|sp|px|hz|khz|bytes|percent|alpha|degrees|width|height|digits|length)$", re.I)
CODEC = re.compile(
    r"(?<![a-z0-9])(pcm[ua]|g\.?7(11|22|23|26|29)[a-z]?|gsm|i?lbc|speex|opus|silk|amr(-?wb)?|evs|l16|telephone-event)"
    r"(?![a-z0-9])", re.I)
CODEC_WORDS = {"pcmu", "pcma", "g711", "g722", "g729", "gsm", "ilbc", "speex", "opus", "silk", "amr", "evs"}
METHOD = re.compile(
    r"(?<![\w.])(INVITE|ACK|BYE|CANCEL|REGISTER|OPTIONS|PRACK|SUBSCRIBE|NOTIFY|PUBLISH|INFO|REFER|MESSAGE|UPDATE)(?!\w)")
METHOD_WORDS = {"invite", "reinvite", "bye", "prack", "refer"}
WIRE = re.compile(
    r"SIP/2\.0|\b(CSeq|Call-ID|WWW-Authenticate|Proxy-Auth\w*|Retry-After|m=audio)\b"
    r"|\ba=(rtpmap|fmtp|sendrecv|sendonly|recvonly|inactive)\b")
STATUS_TEXT = re.compile(r"(?<![\w.+-])([1-6]\d\d)(?![\w.-])")
RETRY_WORDS = {"retry", "retries", "retrying", "attempt", "attempts", "tries", "reconnect", "reregister"}
BACKOFF_WORDS = {"backoff", "jitter"}


class Token(NamedTuple):
    kind: str  # name, number, text or mark
    text: str
    line: int


class Fault(NamedTuple):
    rule: str
    token: str
    line: int


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif len(sys.argv) == 2:
        sys.exit(look_through(Path(sys.argv[1])))
    else:
        sys.exit(__doc__)


def look_through(folder):
    allowed = read_allowed()
    used, wrong, files = set(), 0, sorted(folder.rglob("*.kt"))
    for file in files:
        for fault in faults(file.read_text(encoding="utf-8")):
            if (file.name, fault.token) in allowed:
                used.add((file.name, fault.token))
            else:
                print(f"{file}:{fault.line}: {fault.rule}: {fault.token}")
                wrong += 1
    for name, token in sorted(allowed - used):
        print(f"{ALLOWED.name}: nothing needs {token} in {name} any more")
        wrong += 1
    print(f"{len(files)} files, {wrong} faults, {len(used)} allowed")
    return bool(wrong) or not files


def read_allowed():
    """Pairs of file name and token, from lines `FILE TOKEN why`."""
    allowed = set()
    for line in ALLOWED.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            file, token, why = line.split(maxsplit=2)
            assert why
            allowed.add((file, token))
    return allowed


def faults(source):
    tokens = list(tokenise(source))
    lines = {}
    for token in tokens:
        lines.setdefault(token.line, []).append(token)
    for at, token in enumerate(tokens):
        if token.kind == "number":
            if value(token.text) in STATUS and not says_unit(tokens, at):
                yield Fault("status", token.text, token.line)
        elif token.kind == "text":
            for rule, pattern in ("codec", CODEC), ("method", METHOD), ("wire", WIRE):
                for found in pattern.finditer(token.text):
                    yield Fault(rule, found[0], token.line)
            for found in STATUS_TEXT.finditer(token.text):
                if int(found[1]) in STATUS:
                    yield Fault("status", found[1], token.line)
        elif token.kind == "name":
            said = words(token.text)
            if said & CODEC_WORDS:
                yield Fault("codec", token.text, token.line)
            if said & METHOD_WORDS:
                yield Fault("method", token.text, token.line)
            if said & BACKOFF_WORDS or re.search("back_?off", token.text, re.I):
                yield Fault("retry", token.text, token.line)
            if said & RETRY_WORDS and any(t.kind == "number" for t in lines[token.line]):
                yield Fault("retry", token.text, token.line)


def says_unit(tokens, at):
    """`200.dp`, `FADE_MILLIS = 200`, `durationMillis: Long = 200`."""
    after = [t.text for t in tokens[at + 1:at + 3]]
    if after[:1] == ["."] and len(after) == 2 and UNIT.search(after[1]):
        return True
    line = [t for t in tokens[max(0, at - 6):at] if t.line == tokens[at].line]
    texts = [t.text for t in line]
    return "=" in texts[-1:] and any(t.kind == "name" and UNIT.search(t.text) for t in line)


def value(number):
    digits = re.sub("_|[uUlLfF]+$", "", number)
    return int(digits) if digits.isdecimal() else None


def words(name):
    """Of `isPcmuOn_G729`: is, pcmu, on, g729."""
    return {w.lower() for w in re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+", name)}


def tokenise(source):
    """Kotlin as far as it matters here: comments gone, a template's code in a text as code."""
    at, line, depth = 0, 1, []  # depth: for each open template, the braces open in it
    end = len(source)
    name = re.compile(r"[^\W\d]\w*|`[^`\n]+`")
    number = re.compile(r"0[xXbB][0-9a-fA-F_]+[uUlL]*|\d[\d_]*(\.\d[\d_]*)?([eE][+-]?\d+)?[uUlLfF]*")
    character = re.compile(r"'(\\.[0-9a-fA-F]{0,4}|[^\\])'")
    texts = []  # quotes of the texts around here, inner last

    def text(at, line, quote):
        """Reads a text from behind its quote, or a template in it, to its end or the next template."""
        begin, first = at, line
        while at < end:
            if source.startswith(quote, at):
                return Token("text", source[begin:at], first), at + len(quote), line, False
            if source.startswith("${", at):
                return Token("text", source[begin:at], first), at + 2, line, True
            if source[at] == "\\" and len(quote) == 1:
                at += 1
            elif source[at] == "\n":
                if len(quote) == 1:
                    raise SyntaxError(f"line {line}: a text without an end")
                line += 1
            at += 1
        raise SyntaxError(f"line {first}: a text without an end")

    while at < end:
        here = source[at]
        if here == "\n":
            line += 1
            at += 1
        elif here.isspace():
            at += 1
        elif source.startswith("//", at):
            at = source.find("\n", at) if "\n" in source[at:] else end
        elif source.startswith("/*", at):
            nested = 0  # Kotlin's comments nest
            while True:
                if source.startswith("/*", at):
                    nested, at = nested + 1, at + 2
                elif source.startswith("*/", at):
                    nested, at = nested - 1, at + 2
                    if not nested:
                        break
                elif at >= end:
                    raise SyntaxError("a comment without an end")
                else:
                    line += source[at] == "\n"
                    at += 1
        elif here == "'":
            found = character.match(source, at)
            yield Token("mark", found[0], line)
            at = found.end()
        elif here == '"' or (here == "}" and depth and depth[-1] == 0):
            if here == '"':
                quote = '"""' if source.startswith('"""', at) else '"'
                texts.append(quote)
                at += len(quote)
            else:  # the end of a template: its text goes on
                depth.pop()
                at += 1
            token, at, line, template = text(at, line, texts[-1])
            yield token
            if template:
                depth.append(0)
            else:
                texts.pop()
        elif found := number.match(source, at):
            yield Token("number", found[0], line)
            at = found.end()
        elif found := name.match(source, at):
            yield Token("name", found[0], line)
            at = found.end()
        else:
            if depth and here in "{}":
                depth[-1] += 1 if here == "{" else -1
            yield Token("mark", here, line)
            at += 1


BAD = [
    ("status", "if (view.status == 486) busy()"),
    ("status", "when (code) { in 400..498 -> failed() }"),
    ("status", "val classOf = code / 1_00"),
    ("status", 'show("486 Busy here")'),
    ("status", 'show("${name}: ${if (code == 603L) 1 else 2}")'),
    ("codec", 'prefs.putString("codec", "PCMU")'),
    ("codec", 'val order = """G.729 opus"""'),
    ("codec", "settings.preferPcma = true"),
    ("codec", "val G729 = 18"),
    ("codec", "Codec.OPUS"),
    ("method", 'if (line.startsWith("INVITE ")) ring()'),
    ("method", "fun sendReinvite() = Unit"),
    ("method", "core.sendBye(call)"),
    ("wire", 'val via = "SIP/2.0/UDP"'),
    ("wire", 'sdp.contains("a=rtpmap:0")'),
    ("retry", "const val MAX_RETRIES = 3"),
    ("retry", "if (attempt < 5) again()"),
    ("retry", "handler.postDelayed(::retry, 5_000)"),
    ("retry", "delay = exponentialBackoff(delay)"),
    ("retry", "val retryMillis = 500L"),
    ("retry", "var tries = 0"),
]
GOOD = [
    "// 486 means busy, INVITE rings, PCMU is a codec, three retries",
    "/* outer /* 486 */ PCMU */ val ringing = view.ringing",
    "private const val FADE_MILLIS = 200L",
    "view.animate().setDuration(150)",
    "val height = 300.dp",
    "fun fade(view: View, durationMillis: Long = 180) = Unit",
    'text = getString(R.string.busy, "PCMUX")',
    "val pressed = event.actionMasked == MotionEvent.ACTION_CANCEL",
    "PendingIntent.FLAG_UPDATE_CURRENT or Log.INFO",
    'Intent("org.offhook.app.action.ANSWER")',
    "retry.setOnClickListener { phone.registerAgain(account) }",
    "val quote = '\"'; val back = '\\''; val unicode = '\\u0041'",
    'val nested = "${map["a"]?.let { "<$it>" }} end"',
    "val tone = 0x100",
    "reference.refersTo(it)",
    'val pattern = "#,##0.00"',
    "val number = \"+1 555-0100\"",
]


def self_test():
    wrong = 0
    for rule, code in BAD:
        found = {fault.rule for fault in faults(code)}
        if rule not in found:
            print(f"self-test: {rule} not seen in: {code} ({found or 'nothing'})")
            wrong += 1
    for code in GOOD:
        if found := list(faults(code)):
            print(f"self-test: seen in: {code}: {found}")
            wrong += 1
    print(f"test result: {'FAILED' if wrong else 'ok'}. {len(BAD) + len(GOOD) - wrong} passed; {wrong} failed; 0 ignored")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
