"""Judges a value that stands where a secret would: a reference, a placeholder, a weak word, or a real one."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from shipper.check.hygiene.late import LatePattern

# "none": nothing secret. "word": letters only, weak if it is live. "common": a word and a few digits, as in every list
# of common passwords. "real": worth stealing.
Grade = Literal["none", "word", "common", "real"]

_LEAST, _MOST = 4, 3000

# Something that is put in later, by a shell, a template, a program or a vault.
_REFERENCE = LatePattern(
    r"\$\{|\$\(|\{\{|\}\}|\{%|<%|%>|<\?|#\{|%\(\w{1,60}\)|%[sdr@](?![A-Za-z0-9!])|@@|"
    r"\[\^?[aA0]-[zZ9f]|\\[dwsSWDb]|\(\?[:=!<]|\.[*+]|\][+*{]|"
    r"\{[A-Za-z_][\w.]{0,60}(?:\[[\w'\"]{1,40}\]|\([\w'\", ]{0,40}\))?(?:![rsa])?(?::[^{}\n]{0,20})?\}|"
    r"^\{\d?\}|^\$[A-Za-z_][\w.:-]{0,80}$|^\$env:|^\$_[A-Z]{3,7}\b|^%[A-Za-z_]\w{0,80}%$|^!\w{1,60}!$|^\[\[|^__\w{1,60}__$|"
    r"^@\w{0,20}[({]|^@[\w.-]{1,60}@$|^:[A-Za-z_]\w{0,60}$|^ENC[(\[]|^\{cipher\}|^!(?:vault|Ref|Sub|GetAtt|ImportValue|secret|"
    r"ENV|env|reference)\b|"
    r"^(?:vault|ssm|op|bao|secretref|keyvault|awssm|gcpsm|sm|file|env|secret|aws-sm|doppler|infisical|"
    r"1password|ref)(?:://|:)|"
    r"^Ag[A-Za-z0-9+/]{340,}|^arn:aws|^projects/[\w-]{1,60}/secrets/|^(?:process\.env|import\.meta|os\.environ|os\.getenv|env\()|"
    r"^(?:var|local|data|module|secrets|inputs|steps|parameters|variables|self|this|each|random_password)\.[A-Za-z_]"
)
_PLACEHOLDER = LatePattern(
    r"(?:^|[-_ .:/<\[{(])your(?:[-_ .]|[a-z]{3,})|^your|<[^<>\n]{1,80}>|^\[[^\]]{0,80}\]$|^\{[^{}]{0,80}\}$|"
    r"x{3,}|\*{3,}|\.{3,}|…|•|●|_{4,}|#{4,}|\?{3,}|-{4,}|^-+$|example|sample|placeholder|redact|mask|filtered|"
    r"(?:^|[^a-z])(?:todo|fixme|tbd|n/a)(?:$|[^a-z])|dummy|(?:^|[^a-z])fake|(?:^|[-_])replace|(?:^|[-_])insert[-_ ]|"
    r"(?:^|[-_])enter[-_ ]|(?:^|[-_])fill[-_ ]?|(?:^|[-_])put[-_ ]|(?:^|[-_])paste[-_ ]|[-_ ]here|^here$|"
    r"(?:^|[-_])not[-_ ]?(?:set|real|a[-_]|used|needed|secret)|lorem|foo[-_]?bar|^(?:foo|bar|baz|blah)(?![a-z])|(?:^|"
    r"[-_])to[-_]be[-_]|"
    r"(?:^|[-_])set[-_ ](?:me|this|in|via|by|your)|(?:^|[-_])(?:same|see|use)[-_ ](?:as|the|your|env)|"
    r"^(?:some|any|super-?duper)[-_ ]|unused|generate[-_d]|from[-_ ](?:env|vault)|omitted|hidden|"
    r"required|min:\d|max:\d|confirmed|nullable|sometimes"
)
# What is said about a secret rather than the secret: types, states, mechanisms, parts of sentences.
_DESCRIPTION = LatePattern(
    r"(?:str(?:ing)?|text|textarea|bool(?:ean)?|int(?:eger)?|number|float|double|null|none|nil|undefined|true|"
    r"false|yes|no|on|off|"
    r"optional|visible|encrypted|plain(?:text)?|hash(?:ed)?|disabled?|enabled?|auto(?:matic)?|manual|random|generated?|"
    r"unknown|any|void|object|array|char|varchar|bytes?|uuid|email|phone|username|login|logout|register|sign-?up|"
    r"sign-?in|reset|forgot(?:ten)?|change[ds]?|updated?|created?|confirm|invalid|valid|missing|empty|bearer|"
    r"basic|digest|"
    r"bcrypt|scrypt|argon2(?:id?)?|sha-?\d{0,3}|md5|hs\d{3}|rs\d{3}|es\d{3}|jwt|jwe|jwks?|oauth\d?|oidc|saml|opaque|"
    r"headers?|cookies?|session|query|body|path|prompt|ask|external|internal|vault|env(?:ironment)?|file|keyring|"
    r"keychain|keystore|(?:1|one)password|bitwarden|keepass(?:xc)?|lastpass|dashlane|notion|slack|confluence|"
    r"secrets?manager|aws-secrets-manager|ssm|kms|trust|peer|ident|scram-sha-256|utf-?\d{1,2}|base\d{2}|"
    r"aes-?\d{3}(?:-\w{3})?|hex|ascii|same|see|and|or|the|is|was|will|must|should|from|with|for|not|never|this|that|"
    r"above|below|via|using|stored|managed|secure|unsafe|strong|weak|valid|expired|expires|current-password|"
    r"new-password|"
    r"one-time-code|authorization_code|(?:in)?active|pending|client_credentials|refresh_token|access_token|id_token|csrf-?token|xsrf-token|"
    r"redirect|click|submit|input|label|button|icon|lock|field|form|page|link|show|hide|toggle|error|warning|"
    r"success|info|default|public|private|shared|local|remote|static|dynamic|custom|inherit|initial|unset)"
)
_COMMON_WORD = LatePattern(
    r"p[a@]ss(?:w[o0]r[dt]|wd|phrase|code)?|pwd|pw|secret|secretkey|secret[-_]key|token|apikey|"
    r"admin(?:istrator)?|root|toor|user|guest|"
    r"postgres(?:ql)?|mysql|mariadb|redis|mongo(?:db)?|rabbitmq|minio(?:admin)?|oracle|sa|change[-_ ]?(?:me|"
    r"this|it)\w{0,20}|"
    r"(?:please[-_])?change[-_ ]\w{1,12}(?:[-_]\w{1,14}){0,5}|qwerty(?:uiop)?|letmein|welcome|iloveyou|master|"
    r"dragon|monkey|default|"
    r"dev(?:elopment|password)?|test(?:ing|test|pass(?:word)?|user)?|demo|temp|django|fastapi|wordpress|laravel|rails|"
    r"spring|keycloak|grafana|jenkins|elastic|airflow|superset|vagrant|docker|(?:db|my|user|root|admin|app|"
    r"super)[-_]?(?:pass(?:word)?|secret|pw)|"
    r"(?:my|super|very|top|jwt|app|session|cookie)[-_ ]?(?:super|very|top|jwt|app|session|cookie)?[-_ "
    r"]?secret[-_ ]?(?:jwt|key|token|value|string|password)?[-_ ]?(?:key)?"
)
_COMMON = LatePattern(
    r"(?:p[a@]ss(?:w[o0]r[dt]|wd)?|admin|root|test|user|guest|secret|qwerty|qwer|asdf|abc|abcd|postgres|mysql|"
    r"redis|welcome|"
    r"letmein|hello|temp|demo|login|changeme|master|dev|iloveyou)(?:1|12|123|1234|12345|123456|00|01|1!|12!|"
    r"123!)|p@ssw[o0]rd|passw0rd|"
    r"1q2w3e4r(?:5t)?!?|1qaz2wsx|q1w2e3r4|qwe123|abc123|a1b2c3d4|123(?:abc|qwe)"
)
_SHAPES = LatePattern(
    r"\d{4}[-./]\d{1,2}[-./]\d{1,2}(?:[tT ][\d:.]{4,12}[zZ]?)?|v?\d{1,4}(?:\.\d{1,5}){1,3}|[\d.]+[-~][\d.]*|"
    r"\d+(?:px|em|rem|pt|%|ms|s|m|h|d|k|kb|mb|bits?|bytes?|chars?)|#[0-9a-fA-F]{3,8}|0x[0-9a-fA-F]{1,8}|"
    r"\d+[-_ ](?:bits?|bytes?|chars?|characters|digits?|days?|hours?|minutes?|seconds?)|"
    r"[\w.+-]+@[\w-]+\.[\w.-]{2,}|[a-z][a-z0-9+.-]*:/.*|localhost(?::\d+)?|[\w.-]+:\d{2,5}|"
    r"[\w./\\-]+\.(?:txt|html?|json|ya?ml|py|js|jsx|ts|tsx|vue|php|md|pem|key|crt|cer|p12|jks|env|conf|cfg|ini|"
    r"xml|png|svg|"
    r"jsp|java|rb|go|cs|sh|css|com|net|org|io|dev|local|kr)|"
    # Fingerprints, which anybody may know: of host keys, of downloads.
    r"SHA256:[A-Za-z0-9+/]{43}=?|MD5(?::[0-9a-f]{2}){16}|sha(?:256|384|512)-[A-Za-z0-9+/]{43,88}={0,2}|"
    r"(?:/|\./|\.\./|~/|[A-Za-z]:\\)[\w.\\/@-]*|(?:application|text|image|multipart)/[\w.+-]+"
)
# sh(1), "Parameter Expansion": ${NAME:-default}; Compose has the same form.
DEFAULT = re.compile(r"\$\{[A-Za-z_]\w{0,80}:?[-=]([^${}]{1,300})\}")
_PASSWORD_HASH = re.compile(
    r"(?:\{\w{2,12}\})?(?:pbkdf2|\$2[abxy]\$|\$argon2|\$[156y]\$|\$apr1\$|scrypt:|bcrypt|sha1\$|md5\$)|\{S?SHA\d{0,3}\}"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_APP_PASSWORD = re.compile(r"[a-z]{4}(?: [a-z]{4}){3}")
_CAMEL = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]|\d+")
_CONSONANTS = re.compile(r"[b-df-hj-np-tv-xz]{5,}", re.IGNORECASE)
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)
_NAME_OF_ANOTHER = re.compile(
    r"(?=.{0,60}(?:PASSWORD|SECRET|TOKEN|KEY))[A-Z][A-Z0-9]{0,40}(?:[_,-][A-Z0-9]{1,40}){1,10}"
)
_WORD_MARKS = "-_./:"


@lru_cache(maxsize=8192)
def grade(value: str, kind: str) -> Grade:
    """Return what a value is worth; `kind` is what it is called: password, secret, token, key or phrase."""
    value = value.strip()
    default = DEFAULT.fullmatch(value)
    if default:  # what counts where nobody sets the variable
        value = default[1]
    lower = value.lower()
    if not _LEAST <= len(value) <= _MOST or any(letter > "ɏ" for letter in value) or _stands_for_another(value, lower):
        return "none"
    if " " in value or "\t" in value:
        return "real" if _APP_PASSWORD.fullmatch(value) and kind == "password" else "none"
    if value.isdigit():
        return _grade_of_digits(value, kind)
    bare = value.translate({ord(mark): None for mark in _WORD_MARKS})
    if not bare.isalnum() and kind in ("password", "phrase", "secret"):
        return (
            "common" if _COMMON.fullmatch(lower) else "real" if _has_letters(value, 2) and len(value) >= 5 else "none"
        )
    if bare.isalpha():
        return _grade_of_letters(value, bare, kind)
    return _grade_of_mixture(value, lower, bare, kind)


def _stands_for_another(value: str, lower: str) -> bool:
    bare = lower.strip(".,:;!?")
    return bool(
        _REFERENCE.search(value)
        or _PLACEHOLDER.search(lower)
        or _DESCRIPTION.fullmatch(bare)
        or _SHAPES.fullmatch(value)
        or _PASSWORD_HASH.match(value)
        or _NAME_OF_ANOTHER.fullmatch(value)
        or (value.isupper() and value.replace("_", "").isalpha() and ("_" in value or len(value) < 8))
        or (len(set(lower)) <= 2 and not value.isdigit())
    )


def _has_letters(value: str, least: int) -> bool:
    return sum(letter.isalpha() for letter in value) >= least


def _grade_of_digits(value: str, kind: str) -> Grade:
    if kind not in ("password", "phrase"):
        return "none"
    if kind == "phrase":
        return "common" if len(value) >= 6 and is_sequence(value) else "none"
    return "common" if len(value) < 6 or is_sequence(value) or len(set(value)) <= 2 else "real"


def _grade_of_letters(value: str, bare: str, kind: str) -> Grade:
    if kind == "phrase":
        return "none"
    # Naver gives out secrets of ten letters and digits; one in six has no digit.
    if len(bare) >= (10 if kind == "secret" else 12) and "." not in value and "/" not in value and _is_random(bare):
        return "real" if kind in ("password", "secret") or len(bare) >= 20 else "none"
    return "word" if kind in ("password", "secret") else "none"


def _grade_of_mixture(value: str, lower: str, bare: str, kind: str) -> Grade:
    """Letters and digits, perhaps with "-", "_", ".", "/", ":" between them."""
    if _COMMON.fullmatch(lower):
        return "common" if kind in ("password", "secret", "phrase") else "none"
    if kind in ("password", "phrase"):
        return "real" if len(value) >= 6 else "common" if len(value) >= 5 and kind == "password" else "none"
    if kind == "secret":
        return "real" if len(value) >= 8 and not (value.count("/") and is_wordy(value)) else "none"
    if _UUID.fullmatch(value):
        return "real" if kind == "key" else "none"
    return "none" if len(value) < 16 or is_wordy(value) or is_made_up(value) else "real"


def is_common_word(value: str) -> bool:
    """Tell a value that people use when they mean to change it later: changeme, admin, my-secret-key."""
    lower = value.lower()
    return bool(_COMMON_WORD.fullmatch(lower)) or ("secret" in value and value.isalpha() and value.islower())


def is_sequence(value: str) -> bool:
    """Tell 12345678, abcdefgh, 0000, 11112222."""
    steps = [ord(second) - ord(first) for first, second in pairwise(value)]
    return sum(step in (-1, 0, 1, -9) for step in steps) >= len(steps) * 0.7


def is_wordy(value: str) -> bool:
    """Tell a name made of words and a number or two, such as `oauth2/token-v1` or `accessToken2`."""
    parts = _CAMEL.findall(value)
    # The letters of k8s, s3 and v2 are no words of their own.
    spelled = [part for part in parts if part.isalpha() and len(part) > 1]
    words = [part for part in spelled if len(part) >= 3 and _VOWEL.search(part) and not _CONSONANTS.search(part)]
    numbers = sum(part.isdigit() for part in parts)
    letters = sum(map(len, words))
    return letters >= len(value) * 0.6 and letters >= 3.3 * len(spelled) and numbers <= 3


def is_made_up(value: str) -> bool:
    """Tell a token that only shows what tokens look like: xxxx, 0123456789abcdef, AAAA, ...EXAMPLE."""
    lower = value.lower()
    if _MADE_UP.search(lower):
        return True
    body = re.split(r"[-_.:]", value)
    longest = max(body, key=len)
    if len(set(longest)) < min(8, len(longest) // 2) and len(longest) >= 12:
        return True
    return len(longest) >= 12 and is_sequence(longest)


_MADE_UP = LatePattern(
    r"example|placeholder|(?:(?:test|abandon) ){3}|your[-_]|your(?:api|token|key|secret|access)|x{5,}|\*{3,}|"
    r"\.{3,}|redacted|dummy|changeme|"
    r"replace[-_]?(?:me|this|with)|(?:^|[-_])(?:fake|sample|insert)[-_]?|(?:insert|put|enter)[-_]?your|0{8,}|"
    r"1234567890abcdef1234567890|abcdefghijklmnop|deadbeef(?:deadbeef|cafe)"
)


def _is_random(letters: str) -> bool:
    """Tell letters that make no words: many changes of case, or too few vowels in a row."""
    parts = _CAMEL.findall(letters)
    mixed = not letters.islower() and not letters.isupper() and len(parts) > len(letters) / 3
    return mixed or (
        bool(_CONSONANTS.search(letters)) and sum(letter in "aeiouyAEIOUY" for letter in letters) < len(letters) * 0.3
    )
