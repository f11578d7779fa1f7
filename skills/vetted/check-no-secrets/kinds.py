"""What credentials look like: how issuers begin them, and what chance alone would not write.

The beginnings are those that the issuers document. What they print as an example (`…EXAMPLE`) counts,
too: a rule that knows exceptions by spelling can be talked to.
"""

import math
import re

# Kind, and what it looks like. Each is bounded, so that no line takes long.
ISSUED = [
    ("AWS access key id", r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{12}[A-Z0-9]{4}(?![A-Z0-9])"),
    ("GitHub token", r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}"),
    ("GitHub token", r"github_pat_[A-Za-z0-9_]{50,255}"),
    ("GitLab token", r"(?<![A-Za-z0-9])gl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent)-[A-Za-z0-9_.-]{16,200}"),
    ("Slack token", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    ("Slack token", r"xapp-\d-[A-Z0-9]{8,20}-\d{8,20}-[a-f0-9]{32,80}"),
    ("Slack webhook", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_+-]{20,200}"),
    ("Stripe key", r"(?<![A-Za-z0-9])[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    ("Stripe webhook secret", r"whsec_[A-Za-z0-9+/=]{24,120}"),
    ("Google API key", r"AIza[A-Za-z0-9_-]{35}"),
    ("Google OAuth secret", r"GOCSPX-[A-Za-z0-9_-]{20,40}"),
    ("GCP service account", r"\"private_key_id\"\s*:\s*\"[a-f0-9]{20,64}\""),
    ("Azure storage key", r"AccountKey=[A-Za-z0-9+/]{60,100}={0,2}"),
    ("private key", r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    ("PuTTY private key", r"PuTTY-User-Key-File-[23]:"),
    ("age secret key", r"AGE-SECRET-KEY-1[A-Z0-9]{50,70}"),
    ("JSON Web Token", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,2000}"),
    ("npm token", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}"),
    ("PyPI token", r"pypi-AgE[A-Za-z0-9_-]{40,400}"),
    ("Cargo registry token", r"(?<![A-Za-z0-9])cio[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    ("Anthropic key", r"sk-ant-[A-Za-z0-9_-]{24,250}"),
    ("OpenAI key", r"(?<![A-Za-z0-9])sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,250}"),
    ("SendGrid key", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    ("Twilio key", r"(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("DigitalOcean token", r"do[opr]_v1_[a-f0-9]{64}"),
    ("Hashicorp Vault token", r"(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_-]{24,300}"),
    ("Terraform token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,120}"),
    ("Databricks token", r"(?<![A-Za-z0-9])dapi[a-f0-9]{32}"),
    ("Hugging Face token", r"(?<![A-Za-z0-9])hf_[A-Za-z]{30,60}"),
    ("Grafana token", r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,400}"),
    ("Shopify token", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("Doppler token", r"dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9_.-]{40,80}"),
    ("New Relic key", r"NRAK-[A-Z0-9]{27}"),
]
KINDS = [(kind, re.compile(pattern)) for kind, pattern in ISSUED]

# A password within an address. A variable in its place is none.
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{0,64}:([^\s/@'\"]{1,200})@[A-Za-z0-9\[]", re.IGNORECASE)

# A name that says what the value is, and the value: quoted, or alone on the right side.
NAMED = re.compile(
    r"""(?P<name>[A-Za-z0-9_.-]{0,60}(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|
    private[_-]?key|signing[_-]?key|encryption[_-]?key|auth[_-]?key|credential|connection[_-]?string)[A-Za-z0-9_.-]{0,40})
    ["'\]]{0,2}\s{0,8}(?:=>|:=|=|:)\s{0,8}
    (?:(?P<quote>["'`])(?P<quoted>[^"'`\n]{1,400})(?P=quote)|(?P<bare>[^\s"'`,;(){}\[\]<>]{1,400}))""",
    re.IGNORECASE | re.VERBOSE)

# Values that stand for one that is elsewhere.
REFERENCE = re.compile(
    r"""^\$|\$[{(]|^%[A-Za-z(]|\{\{|^<[^>]*>$|^(?:env|vault|ref|var|secrets?|param|process|os|config|settings|self|this)[.:(]|
    ^(?:true|false|null|none|nil|undefined|yes|no|string|str|bytes|optional|required|redacted|changeme|example|placeholder|todo|\*+|x+|\.+|-+)$|
    ^(?:your|my|the|some|an?)[-_ ]|^[a-z]+(?:[_.:-]+[a-z]+)+$|^arn:|^https?://|^projects/|^\.{0,2}/[\w.-]+/""",
    re.IGNORECASE | re.VERBOSE)

# The same within an address, where every word may be a password.
FILLED_IN = re.compile(r"^\$|\$[{(]|\{\{|^\{\w+\}$|^%[a-z(]|^<[^>]*>$|^\*+$|^(?:password|pass|pw|secret|xxx+)$", re.IGNORECASE)

# Names that speak of a secret and are something else.
NO_VALUE = re.compile(
    r"tokeni[sz]|(?:url|uri|endpoint|name|type|kind|field|path|file|length|size|ttl|expir\w*|header|prefix|scope|version|ref)$",
    re.IGNORECASE)

LONG_ENOUGH = 16
BITS_PER_CHARACTER = 3.4
WORD_LONG_ENOUGH = 8


def found(line):
    """The kinds of secrets in a line."""
    kinds = [kind for kind, pattern in KINDS if pattern.search(line)]
    for match in ADDRESS.finditer(line):
        if not FILLED_IN.search(match.group(1)):
            kinds.append("password in an address")
    for match in NAMED.finditer(line):
        value = match.group("quoted") or match.group("bare") or ""
        if is_value(match.group("name"), value, bool(match.group("quoted"))):
            kinds.append(f"value of `{match.group('name')[-40:]}`")
    return kinds


def is_value(name, value, quoted):
    """Whether somebody could log in with it: chance wrote it, or it is called a password and is in quotes."""
    if REFERENCE.search(value) or NO_VALUE.search(name) or len(value) < WORD_LONG_ENOUGH:
        return False
    if len(value) >= LONG_ENOUGH and entropy(value) >= BITS_PER_CHARACTER and is_mixed(value):
        return True
    is_password = re.search(r"passw(?:or)?d|passphrase|pwd", name, re.IGNORECASE)
    is_literal = quoted and " " not in value or re.search(r"[^\w.\[\]()-]", value)
    return bool(is_password and is_literal and is_mixed(value))


def is_mixed(value):
    """Letters and digits, or both cases: prose and names of settings have neither."""
    has = [bool(re.search(pattern, value)) for pattern in ("[a-z]", "[A-Z]", "[0-9]")]
    return has[2] and (has[0] or has[1]) or (has[0] and has[1] and entropy(value) >= 4)


def entropy(text):
    """Bits for each character, by Shannon, of the text itself."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in (text.count(c) for c in set(text)))
