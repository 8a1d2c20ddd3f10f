"""Tells from a name whether its value is a secret: `DB_PASSWORD` is one, `PASSWORD_MIN_LENGTH` is not."""

from __future__ import annotations

import re
from functools import lru_cache

# What stands in the lower-cased text where a label may be; each is searched for on its own, which is faster than a
# pattern with all of them.
LATIN_STEMS = (
    "pass",
    "pw",
    "secret",
    "token",
    "key",
    "credential",
    "kennwort",
    "contrase",
    "senha",
    "clave",
    "mdp",
    "salt",
)
# Words for a secret in other scripts, with the kind of value they announce.
OTHER_STEMS = {
    "비밀번호": "password",
    "비번": "password",
    "암호": "password",
    "패스워드": "password",
    "패쓰워드": "password",
    "비밀키": "secret",
    "비밀 키": "secret",
    "시크릿": "secret",
    "토큰": "token",
    "인증키": "key",
    "인증 키": "key",
    "접근키": "key",
    "접근 키": "key",
    "액세스키": "key",
    "액세스 키": "key",
    "엑세스키": "key",
    "서비스키": "key",
    "서비스 키": "key",
    "보안키": "key",
    "api키": "key",
    "api 키": "key",
    "パスワード": "password",
    "暗証番号": "password",
    "合言葉": "password",
    "秘密鍵": "secret",
    "シークレット": "secret",
    "トークン": "token",
    "密码": "password",
    "密碼": "password",
    "口令": "password",
    "密钥": "secret",
    "密鑰": "secret",
    "令牌": "token",
    "пароль": "password",
    "mật khẩu": "password",
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-zß-ÿ]+|\d+|[A-Z]")
_PASSWORDS = frozenset(
    "password passwd pwd passwort kennwort contraseña contrasena contrasenya senha motdepasse passphrase "
    "passcode psw pw "
    "pass passe passw0rd pword clave mdp passkey secretpassword passwords pws".split()
)
_PASSWORD_END = ("password", "passwd", "pwd", "passwort", "passphrase", "passcode", "kennwort", "contraseña", "senha")
# `compass`, `bypass` and `surpass` end in "pass" as well, and many words in "pw".
_WORDS_BEFORE = (
    "db|user|my|ssh|ftp|sftp|smtp|mail|email|admin|root|mysql|pg|postgres|redis|mongo|store|key|login|auth|become|sa|"
    "proxy|ldap|sudo|enable|vnc|rdp|wifi|wlan|app|web|api|http|imap|rabbit|rabbitmq|mq|amqp|http|basic|database"
)
_JOINED = re.compile(rf"(?:dest|src|new|old)?(?:{_WORDS_BEFORE})(?:pass|pw)")
_KEY_BEFORE = frozenset(
    "api access secret private auth encryption encrypt signing sign master service license licence client consumer "
    "account storage shared session crypto cipher jwt hmac webhook aes rest subscription admin ingest merchant channel "
    "deploy deployment server security confirm restapi openai anthropic gemini stripe sendgrid mailgun twilio algolia "
    "masterkey root role decrypt decryption functions host app application appsecret integration personal "
    "shared instrumentation "
    "datadog sentry elastic cohere deepseek mistral groq huggingface replicate pinecone tavily serper resend "
    "naver kakao "
    "toss confm iamport portone solapi nhn ncp ncloud coolsms aligo".split()
)
KEY_BEFORE = tuple(sorted(_KEY_BEFORE | {"restapi"}))
_KEY_JOINED = re.compile(
    r"(?:api|access|secret|private|auth|encryption|signing|master|service|license|client|consumer|account|storage|"
    r"shared|session|webhook|security|subscription|deploy|admin|jwt|rest)key"
)
# A label that goes on with one of these still names the value itself.
_AFTER = frozenset(
    "key value val default dev develop development prod production prd staging stage stg test testing qa uat "
    "local live "
    "sandbox primary secondary current old new root admin user db database mysql postgres pg redis string str "
    "text plain "
    "plaintext raw b base hex main backup master slave replica write read readonly rw ro server client kr us "
    "eu api app "
    "web base64 b64 token base value1 demo for in of on the real first second orig original aws gcp azure dbuser "
    "secret access password or".split()
)
# In front of these words a label speaks about something else, or about something public.
_NOT_AFTER = frozenset(
    "public publishable anon site foreign primary sort partition hash cache csrf xsrf cancel cancellation next page "
    "continuation design pagination forgot forgotten reset has is no show hide hidden toggle verify validate min max "
    "require requires required missing invalid wrong bad get fetch find check generate create change update remove "
    "delete use with without encode encoded decode hashed encrypted encrypt bcrypt syntax lexer parse stop eos bos pad "
    "existing unk special verification map object storage cursor sync idempotency dedup translation i18n "
    "locale row column composite unique "
    "event keyboard hot index query route react".split()
)
# ... which for these is only so for tokens and keys: `user_storage_password` is one.
_NOT_AFTER_PASSWORD = frozenset(
    "forgot forgotten reset has is no show hide hidden toggle verify validate min max require requires "
    "required missing "
    "invalid wrong bad get fetch find check generate hashed encrypted bcrypt public existing".split()
)


@lru_cache(maxsize=16384)
def kind_of_label(label: str) -> str | None:
    """Return what the value of a name is ("password", "secret", "token", "key"), or None when it is no secret.

    `label` is a name as it is written in code, a config or a table: `dbPassword`, `spring.mail.password`,
    `AWS_SECRET_ACCESS_KEY`, `--master-user-password`.
    """
    if not label.isascii() and not label.replace("ñ", "n").isascii():
        return None
    words = [word.lower() for word in _WORD.findall(label)]
    last = next((at for at in range(len(words) - 1, -1, -1) if _kind_of_word(words, at)), None)
    if last is None or any(not (word.isdigit() or word in _AFTER) for word in words[last + 1 :]):
        return None
    kind = _kind_of_word(words, last)
    if kind == "password" and "key" in words[last + 1 :]:
        return None
    before = words[max(0, last - 3) : last]
    unfit = _NOT_AFTER_PASSWORD if kind in ("password", "secret") else _NOT_AFTER
    if not unfit.isdisjoint(before) and not ("secret" in before or "access" in before or "api" in before):
        return None
    if "existing" in words or (kind in ("token", "key") and "public" in words):
        return None
    return kind


def _kind_of_word(words: list[str], at: int) -> str | None:
    word = words[at]
    if word in _PASSWORDS or word.endswith(_PASSWORD_END) or _JOINED.fullmatch(word):
        return "password"
    if word == "secret" or (word.endswith("secret") and len(word) > 7) or word in ("secrets", "credential", "salt"):
        return "secret"
    if word == "token" or (word.endswith("token") and len(word) > 6):
        return "token"
    if word == "key" and at and words[at - 1] in _KEY_BEFORE:
        return "secret" if words[at - 1] in ("secret", "signing", "encryption", "jwt", "hmac", "session") else "key"
    if word.endswith("key") and _KEY_JOINED.search(word):
        return "secret" if "secretkey" in word else "key"
    return None
