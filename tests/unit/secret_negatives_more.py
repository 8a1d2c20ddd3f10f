"""More texts in which nothing is secret, in the same languages as secret_positives_languages.py."""

# ruff: noqa: E501, ISC  (a case is one line)
from __future__ import annotations

import json

from secret_samples import hexadecimal, jwt, letters

B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
DIGITS = "0123456789"
LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
UP = LATIN[:26] + DIGITS
LO = LATIN[26:] + DIGITS
H32, H64 = hexadecimal("x", 32), hexadecimal("x", 64)

MORE_NEGATIVES: list[tuple[str, str]] = [
    (".env.example", "DB_PASSWORD=<your-password>\nAPI_KEY=<API_KEY>\n"),
    ("env.sample", "SECRET_KEY=changeme\nJWT_SECRET=change-me-in-production\n"),
    ("a.md", "`DB_PASSWORD=xxxxxxxx`\n"),
    ("b.md", "export OPENAI_API_KEY=your-api-key-here\n"),
    ("c.md", "password: ********\n"),
    ("d.md", "OPENAI_API_KEY=sk-...\n"),
    ("e.md", "비밀번호: (담당자에게 문의)\n비밀번호: 1Password 참고\n암호: <비밀번호 입력>\n"),
    ("f.md", "DB_PASSWORD=여기에_비밀번호_입력\n"),
    ("g.yml", 'password: {{ db_password }}\nsecret: "{{ vault_secret }}"\n'),
    ("h.yml", "password: {{ .Values.db.password | quote }}\n"),
    ("i.yml", "password: <%= ENV['DB_PASSWORD'] %>\n"),
    ("j.yml", "password: ${DB_PASSWORD}\npw2: $DB_PASSWORD\n"),
    ("k.bat", "set PGPASSWORD=%DB_PASSWORD%\n"),
    ("l.py", "API_KEY = 'fake-api-key-for-tests'\n"),
    ("m.ts", "const apiKey = 'TODO';\n"),
    ("n.yml", "secretKey: REPLACE_ME\ntoken: INSERT_TOKEN_HERE\n"),
    ("o.yml", "password: \"\"\nsecret: ''\ntoken: null\n"),
    ("p.yml", "password: @db.password@\n"),
    ("q.md", "postgres://USER:PASSWORD@HOST:5432/DB\npostgresql://user:password@localhost/db\n"),
    ("r.py", "url = f'postgresql://{user}:{password}@{host}/x'\n"),
    ("s.md", "AKIA" + "IOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY\n"),
    (".github/workflows/x.yml", "env:\n  NPM_TOKEN: ${{ secrets.NPM_TOKEN }}\n  password: ${{ secrets.PW }}\n"),
    (".github/workflows/y.yml", "permissions:\n  id-token: write\n  contents: read\nsecrets: inherit\n"),
    (
        ".github/workflows/z.yml",
        "services:\n  postgres:\n    image: postgres:16\n    env:\n      POSTGRES_PASSWORD: postgres\n      POSTGRES_USER: postgres\n",
    ),
    ("y/.gitlab-ci.yml", "script:\n  - docker login -u $CI_REGISTRY_USER -p $CI_REGISTRY_PASSWORD $CI_REGISTRY\n"),
    (
        "k8s/d.yaml",
        "env:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: shop-db-credentials\n      key: password\n",
    ),
    (
        "k8s/i.yaml",
        "tls:\n- secretName: shop-tls-production\n  hosts: [shop.co.kr]\nimagePullSecrets:\n- name: registry-credentials\n",
    ),
    ("k8s/e.yaml", "remoteRef:\n  key: prod/shop/db\n  property: password\n"),
    (
        "k8s/ss.yaml",
        f"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec:\n  encryptedData:\n    password: Ag{letters('seal', 700, B64)}\n",
    ),
    (
        "secrets.enc.yaml",
        f"password: ENC[AES256_GCM,data:{letters('so', 16, B64)}==,iv:{letters('so2', 43, B64)}=,tag:{letters('so3', 22, B64)}==,type:str]\nsops:\n    mac: ENC[AES256_GCM,data:{letters('so4', 40, B64)}]\n",
    ),
    ("vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n" + "\n".join(letters(f"av{i}", 80, DIGITS) for i in range(5)) + "\n"),
    (
        "package-lock.json",
        '{"node_modules/a":{"version":"1.0.0","resolved":"https://registry.npmjs.org/a/-/a-1.0.0.tgz","integrity":"sha512-'
        + letters("pl", 86, B64)
        + '=="}}\n',
    ),
    (
        "yarn.lock",
        f'"jsonwebtoken@^9.0.0":\n  version "9.0.0"\n  resolved "https://registry.yarnpkg.com/x.tgz#{hexadecimal("h", 40)}"\n  integrity sha512-{letters("yl", 86, B64)}==\n',
    ),
    (
        "pnpm-lock.yaml",
        f"  /password-prompt@1.1.3:\n    resolution: {{integrity: sha512-{letters('pn', 86, B64)}==}}\n",
    ),
    (
        "poetry.lock",
        f'[[package]]\nname = "secretstorage"\nversion = "3.3.3"\nfiles = [\n {{file = "SecretStorage-3.3.3.tar.gz", hash = "sha256:{H64}"}}]\n',
    ),
    ("Cargo.lock", f'[[package]]\nname = "secrecy"\nversion = "0.8.0"\nchecksum = "{H64}"\n'),
    ("go.sum", f"github.com/golang-jwt/jwt v3.2.1+incompatible h1:{letters('gs', 43, B64)}=\n"),
    ("gradle/verification-metadata.xml", f'<sha256 value="{H64}" origin="x"/>\n'),
    ("composer.lock", f'{{"content-hash": "{H32}", "reference": "{hexadecimal("h", 40)}"}}\n'),
    ("SHA256SUMS", f"{H64}  shop.tar.gz\n"),
    ("u.ts", "const tokenId = '6f1c2c1e-8a52-4a9e-9d0a-0c2f3b8e7d11';\n"),
    ("img.css", f".a{{background:url(data:image/png;base64,{letters('im', 400, B64)}==)}}\n"),
    ("f.html", f"<img src='data:image/jpeg;base64,/9j/{letters('im2', 800, B64)}'>\n"),
    (
        "jquery.min.js",
        "!function(e,t){var n=e.password,r={token:t,key:n,secret:e.secret||''};for(var i=0;i<t.length;i++)r.key=n[i],e.apiKey=r.token}(window,document);"
        * 20,
    ),
    (
        "locales/en.json",
        json.dumps(
            {
                "password": "Password",
                "confirmPassword": "Confirm your password",
                "forgotPassword": "Forgot password?",
                "secret": "Secret key",
                "token": "Token expired",
                "apiKey": "API Key",
            },
            indent=2,
        ),
    ),
    (
        "locales/ko.json",
        json.dumps(
            {
                "password": "비밀번호",
                "passwordConfirm": "비밀번호 확인",
                "passwordHint": "영문, 숫자, 특수문자 포함 8자 이상",
                "wrongPassword": "비밀번호가 틀렸습니다",
            },
            ensure_ascii=False,
            indent=2,
        ),
    ),
    (
        "de.properties",
        "login.password=Passwort\nlogin.password.forgot=Passwort\\ vergessen?\nlogin.password.reset=Zur\\u00fccksetzen\n",
    ),
    (
        "config/locales/en.yml",
        "en:\n  password: Password\n  reset_password: Reset your password\n  current_password: Current password\n",
    ),
    (
        "res/values/strings2.xml",
        '<string name="password">Password</string>\n<string name="prompt_password">Password (optional)</string>\n<string name="error_invalid_password">This password is too short</string>\n',
    ),
    (
        "R.resx",
        '<data name="Password" xml:space="preserve"><value>Password</value></data>\n<data name="PasswordRequired"><value>Please enter your password</value></data>\n',
    ),
    ("ko.po", 'msgid "Password"\nmsgstr "비밀번호"\n\nmsgid "Enter your password"\nmsgstr "비밀번호를 입력하세요"\n'),
    (
        "L.tsx",
        '<input type="password" name="password" placeholder="Enter password" id="password-input" autoComplete="current-password" />\n<label htmlFor="password">Password</label>\n',
    ),
    (
        "L2.vue",
        '<input v-model="password" type="password" placeholder="비밀번호를 입력하세요">\n<label>비밀번호: </label>\n',
    ),
    (
        "t.ts",
        "interface Login { username: string; password: string; token?: string | null }\ntype Secret = { apiKey: string };\n",
    ),
    ("e.ts", "enum Field { Password = 'password', Token = 'token', ApiKey = 'api_key' }\n"),
    (
        "kn.ts",
        "export const TOKEN_KEY = 'access_token';\nconst PASSWORD_FIELD = 'user_password';\nconst API_KEY_HEADER = 'X-API-Key';\n",
    ),
    (
        "at.ts",
        "export const RESET_PASSWORD_REQUEST = 'RESET_PASSWORD_REQUEST';\nexport const SET_TOKEN = 'auth/SET_TOKEN';\n",
    ),
    ("rt.ts", "resetPassword: '/auth/reset-password',\nchangePasswordUrl = '/api/v1/users/change-password'\n"),
    (
        "fc.py",
        "password = get_password_from_vault('db/shop')\ntoken = create_access_token(data={'sub': user.username})\n",
    ),
    ("er.py", "SECRET_KEY = os.environ['SECRET_KEY']\nPW = os.getenv('DB_PASSWORD', '')\nT = config('API_TOKEN')\n"),
    (
        "er.js",
        "const pw = process.env.DB_PASSWORD;\nconst key = import.meta.env.VITE_API_KEY;\nDeno.env.get('TOKEN')\n",
    ),
    ("er.go", 'password := os.Getenv("DB_PASSWORD")\ntoken := viper.GetString("auth.token")\n'),
    (
        "Er.java",
        'String password = System.getenv("DB_PASSWORD");\n@Value("${spring.datasource.password}") private String password;\n',
    ),
    (
        "Er.cs",
        'var password = Configuration["Db:Password"];\nvar secret = Environment.GetEnvironmentVariable("JWT_SECRET");\n',
    ),
    (
        "er.php",
        "<?php $password = getenv('DB_PASSWORD'); $k = $_ENV['API_KEY']; 'password' => env('DB_PASSWORD', ''),\n",
    ),
    ("er.rb", "password = ENV['DB_PASSWORD']\nkey = Rails.application.credentials.secret_key_base\n"),
    ("er.rs", 'let token = std::env::var("API_TOKEN").expect("API_TOKEN must be set");\n'),
    (
        "er.swift",
        'let key = ProcessInfo.processInfo.environment["API_KEY"] ?? ""\nlet pw = Bundle.main.object(forInfoDictionaryKey: "ApiSecret")\n',
    ),
    (
        "er.ps1",
        '$pw = $env:DB_PASSWORD\n$cred = Get-Credential -Message "Enter password"\n[Parameter(Mandatory=$true)][SecureString]$Password\n',
    ),
    (
        "er.tf",
        'password = var.db_password\nsecret = data.aws_secretsmanager_secret_version.db.secret_string\nvariable "db_password" {\n  type = string\n  sensitive = true\n  description = "Password of the database user"\n}\n',
    ),
    (
        "rnd.tf",
        'resource "random_password" "db" {\n  length = 24\n  override_special = "!#$%&*()-_=+[]{}<>:?"\n}\npassword = random_password.db.result\n',
    ),
    (
        "ph.py",
        "user.password_hash = generate_password_hash(form.password.data)\nhashed_password = bcrypt.hashpw(password.encode(), bcrypt.gensalt())\n",
    ),
    ("PasswordEncoder.java", "private final PasswordEncoder passwordEncoder = new BCryptPasswordEncoder();\n"),
    (
        "tt.json",
        '{"token_type": "bearer", "expires_in": 3600, "token_endpoint": "https://id.shop.co.kr/token", "grant_type": "password"}\n',
    ),
    (
        "tokens.css",
        ":root { --token-color-primary: #1a2b3c4d; --key-size: 12px; }\n.token.keyword { color: #07a }\n.password-strength { width: 100% }\n",
    ),
    (
        "tokens.json",
        json.dumps({"token": {"color": {"primary": {"value": "#0a1b2c3d"}}}, "key": "spacing-large-12"}, indent=1),
    ),
    (
        "schema.sql",
        "CREATE TABLE users (\n  id bigint PRIMARY KEY,\n  password varchar(255) NOT NULL,\n  password_reset_token varchar(64) DEFAULT NULL,\n  api_key char(32) UNIQUE\n);\n",
    ),
    (
        "q.sql",
        "SELECT id, password_hash, token FROM users WHERE token = $1 AND password = :password;\nUPDATE users SET password = ? WHERE id = ?;\n",
    ),
    (
        "ca.crt.txt",
        "-----BEGIN CERTIFICATE-----\n"
        + "\n".join(letters(f"ce{i}", 64, B64) for i in range(10))
        + "\n-----END CERTIFICATE-----\n",
    ),
    (
        "k.txt",
        "-----BEGIN PUBLIC KEY-----\n"
        + "\n".join(letters(f"pu{i}", 64, B64) for i in range(5))
        + "\n-----END PUBLIC KEY-----\n",
    ),
    (
        "authorized_keys.txt",
        f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{letters('sp', 43, B64)} dev@shop\nssh-rsa AAAAB3NzaC1yc2E{letters('sr', 300, B64)} dev\n",
    ),
    ("pd.md", "The file starts with `-----BEGIN RSA " + "PRIVATE KEY-----` and must stay on your machine.\n"),
    ("pp.md", "```\n-----BEGIN " + "PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n```\n"),
    (
        "pc.go",
        'if block.Type != "RSA '
        + 'PRIVATE KEY" { return err }\nstrings.HasPrefix(s, "-----BEGIN '
        + 'PRIVATE KEY-----")\n',
    ),
    ("sp.ts", f"const pk = 'pk_test_{letters('pk', 24)}';\n"),
    ("db.md", "Authorization: Bearer <token>\ncurl -H 'Authorization: Bearer $TOKEN'\n"),
    ("dba.md", "Authorization: Basic dXNlcjpwYXNzd29yZA" + "==\n"),
    (
        "cv.sh",
        'curl -u "$USER:$PASSWORD" https://x\nmysql -u root -p shop < a.sql\nmysql -p"$DB_PASSWORD" shop\nsshpass -e ssh x\nsshpass -p "$PW" ssh x\n',
    ),
    (
        "psq.sh",
        "psql -h localhost -p 5432 -U shop\nssh -p 2222 deploy@host\ndocker run -p 8080:80 nginx\nmkdir -p build/output/dir\n",
    ),
    ("redis.conf", "# requirepass foobared\nprotected-mode yes\n"),
    (
        "tests/test_login.py",
        "def test_login():\n    client.post('/login', data={'username': 'test', 'password': 'password123'})\n    assert login('alice', 'wrong-password') is None\n",
    ),
    (
        "src/__tests__/login.test.ts",
        "await userEvent.type(screen.getByLabelText('Password'), 'password123');\nexpect(login({ password: 'test1234' })).toBe(true);\n",
    ),
    (
        "spec/factories/users.rb",
        "FactoryBot.define do\n  factory :user do\n    password { 'password' }\n    password_confirmation { 'password' }\n  end\nend\n",
    ),
    ("cypress/e2e/l.cy.js", "cy.get('[data-cy=password]').type('secret123')\n"),
    (
        "val.py",
        "if len(password) < 8:\n    raise ValueError('Password must be at least 8 characters')\nPASSWORD_PATTERN = r'^(?=.*[A-Z])(?=.*\\d).{8,}$'\nPASSWORD_MIN_LENGTH = 8\n",
    ),
    (
        "V.java",
        '@NotBlank(message = "Password is required")\n@Pattern(regexp = "^(?=.*[0-9])(?=.*[a-z]).{8,20}$", message="x")\nprivate String password;\n',
    ),
    (
        "y.ts",
        "password: yup.string().min(8, 'Too short').required('Password is required'),\nconfirm: z.string().min(8)\n",
    ),
    (
        "openapi.yaml",
        "    password:\n      type: string\n      format: password\n      example: string\n      minLength: 8\n  securitySchemes:\n    ApiKeyAuth:\n      type: apiKey\n      in: header\n      name: X-API-KEY\n    bearerAuth:\n      bearerFormat: JWT\n",
    ),
    (
        "tok.py",
        "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')\nmax_tokens=4096\npad_token = '<pad>'\neos_token: '</s>'\n",
    ),
    (
        "tokenizer_config.json",
        '{"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}\n',
    ),
    (
        "rk.tsx",
        "<li key={`item-${item.id}`}>x</li>\nconst storageKey = 'shop-cart-items-v2';\nqueryKey: ['orders', orderId],\ncacheKey = 'user:profile:settings:2024'\n",
    ),
    (
        "ky.yml",
        "key: node-modules-cache-v1-linux-x64\nprimary_key: order_id\nforeign_key: customer_account_id\npartitionKey: tenantIdentifier\n",
    ),
    (
        ".github/workflows/c.yml",
        "      - uses: actions/cache@v4\n        with:\n          key: ${{ runner.os }}-npm-${{ hashFiles('**/package-lock.json') }}\n          restore-keys: linux-npm-cache-v20240101\n",
    ),
    ("kb.ts", "if (e.key === 'ArrowDown') {}\nkey: 'Enter', shortcut_key = 'Ctrl+Shift+P'\nhotkey: 'cmd+option+k'\n"),
    ("sk.py", "sorted(items, key=lambda x: x.name)\nmax(d, key=d.get)\n"),
    (
        "skp.yml",
        "private_key_file: ~/.ssh/id_ed25519_deploy\nssl_certificate_key: /etc/letsencrypt/live/shop.co.kr/privkey.pem\npassword_file: /run/secrets/db_password\nPOSTGRES_PASSWORD_FILE: /run/secrets/pg_password_production\n",
    ),
    ("ssl.conf", "ssl_certificate_key /etc/nginx/ssl/shop.co.kr.key;\nauth_basic_user_file /etc/nginx/.htpasswd;\n"),
    (
        "sshd_config.txt",
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\nChallengeResponseAuthentication no\n",
    ),
    (
        "compose.secrets.yml",
        "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD_FILE: /run/secrets/db_password\n    secrets: [db_password]\nsecrets:\n  db_password:\n    file: ./secrets/db_password.txt\n",
    ),
    ("compose.var.yml", "environment:\n  - POSTGRES_PASSWORD=${POSTGRES_PASSWORD:?set it}\n  - A_SECRET=${A_SECRET}\n"),
    (
        "docker-compose.test.yml",
        "services:\n  db:\n    environment:\n      MYSQL_ROOT_PASSWORD: root\n      POSTGRES_PASSWORD: postgres\n",
    ),
    ("sd.ts", f"Sentry.init({{ dsn: 'https://{hexadecimal('sd', 32)}@o123456.ingest.sentry.io/4505123' }});\n"),
    ("gi.ts", "const GOOGLE_CLIENT_ID = '123456789012-" + letters("gid", 32, LO) + ".apps.googleusercontent.com';\n"),
    ("ga.ts", "gtag('config', 'G-AB12CD34EF'); const GTM_ID = 'GTM-ABC1234';\n"),
    ("rc.html", '<div class="g-recaptcha" data-sitekey="6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"></div>\n'),
    (
        "arn.yml",
        "secretArn: arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop/db-AbCdEf\nkmsKeyId: 1234abcd-12ab-34cd-56ef-1234567890ab\n",
    ),
    (
        "vp.yml",
        "secret_path: secret/data/shop/production\ntoken_path: /var/run/secrets/kubernetes.io/serviceaccount/token\n",
    ),
    ("op.env", "DB_PASSWORD=op://Production/shop-db/password\n"),
    (
        "sr.yml",
        "DB_PASSWORD: ${ssm:/shop/prod/db-password}\nX: '{{resolve:secretsmanager:shop-db:SecretString:password}}'\nY: !Ref DBPassword\nZPassword: !Sub '${P}'\n",
    ),
    (
        "application.yml",
        "spring:\n  datasource:\n    password: ${DB_PASSWORD:}\njwt:\n  secret: ${JWT_SECRET}\n  token-validity-in-seconds: 86400\n",
    ),
    (
        "pe.md",
        "Never put your password: it is a secret. The password is stored in Vault. Secret: see 1Password. The token is sent in the header.\nPassword must be changed every 90 days.\n",
    ),
    (
        "pk.md",
        "비밀번호는 8자 이상이어야 합니다. 비밀번호: 영문+숫자 조합 8자리 이상\n비밀번호 변경: 마이페이지 > 설정\n키는 안전하게 보관하세요. 시크릿은 GitHub Secrets에 저장합니다.\n",
    ),
    (
        "mt.md",
        "| 변수 | 설명 | 필수 |\n|---|---|---|\n| DB_PASSWORD | 데이터베이스 비밀번호 | 예 |\n| JWT_SECRET | 토큰 서명 키 (32자 이상) | 예 |\n| API_KEY | Key of the provider | yes |\n",
    ),
    (
        "mf.md",
        "| Field | Type | Description |\n|---|---|---|\n| password | string | The user's password |\n| access_token | string(64) | Bearer token |\n",
    ),
    ("c.csv", "id,name,token_count,password_set\n1,kim,2041,true\n"),
    ("c2.csv", "field,type,password\nname,varchar,false\n"),
    (
        "hl.html",
        "<tr><th>Password</th><td><input type=password></td></tr><dt>Password</dt><dd>At least eight characters</dd>\n",
    ),
    (
        "K.kt",
        'var password by remember { mutableStateOf("") }\nOutlinedTextField(value = password, label = { Text("Password") }, visualTransformation = PasswordVisualTransformation())\n',
    ),
    ("S.swift", 'SecureField("Password", text: $password)\n@State private var password: String = ""\n'),
    (
        "G.java",
        "public String getPassword() { return password; }\nthis.password = password;\nuser.setPassword(passwordEncoder.encode(dto.getPassword()));\n",
    ),
    (
        "ty.py",
        "password: str | None = None\ndef f(token: str = Depends(oauth2_scheme), secret_key: SecretStr = Field(...)): ...\n",
    ),
    ("sc.py", "password = Column(String(128), nullable=False)\ntoken = models.CharField(max_length=64, unique=True)\n"),
    (
        "lm.py",
        "logger.info('password changed for user %s', user.id)\nprint('Token:', token)\nprint(f'password={password}')\n",
    ),
    (
        "sed.sh",
        'sed -i "s/DB_PASSWORD=.*/DB_PASSWORD=$NEW/" .env\ngrep -q \'SECRET_KEY=\' .env || echo "SECRET_KEY=$(openssl rand -hex 32)" >> .env\n',
    ),
    ("gen.sh", "PASSWORD=$(openssl rand -base64 32)\nread -s -p 'Password: ' PW\nexport TOKEN=`cat token.txt`\n"),
    ("mask.py", "MASK = '****'\n'password': '[REDACTED]', 'token': '<hidden>', 'secret': '(filtered)'\n"),
    (
        "csp.html",
        f'<script nonce="{letters("no", 22)}" integrity="sha384-{letters("csp", 64, B64)}" crossorigin="anonymous" src="https://cdn.example.com/a.js"></script>\n',
    ),
    (
        "gs.yml",
        f"rev: {hexadecimal('gsh', 40)}\nuses: actions/checkout@{hexadecimal('gsi', 40)}\nimage: node@sha256:{H64}\n",
    ),
    ("i.svg", '<svg><path d="M12 2C6.48 2 2 6.48 2 12s4.48 10 10 10 10-4.48 10-10S17.52 2 12 2zm0 18c-4.41"/></svg>\n'),
    ("a.js.map", '{"version":3,"sources":["a.ts"],"mappings":"' + letters("map", 2000, LATIN + ",;") + '"}\n'),
    (
        "__snapshots__/a.snap",
        'exports[`password field renders 1`] = `\n<input\n  name="password"\n  type="password"\n/>\n`;\n',
    ),
    ("a.proto", "message Login { string password = 2; bytes token = 3; }\n"),
    (
        "s.graphql",
        "type Mutation { login(email: String!, password: String!): AuthPayload! }\ntype AuthPayload { token: String! }\n",
    ),
    (
        "values.yaml",
        'auth:\n  existingSecret: shop-db\n  secretKeys:\n    adminPasswordKey: postgres-password\n  password: ""\n',
    ),
    ("ar.yaml", "passwordSecretRef:\n  name: argocd-initial-admin-secret\n  key: password\n"),
    ("tsconfig.json", '{"compilerOptions":{"paths":{"@/auth/token":["src/auth/token"]}}}\n'),
    (".eslintrc.json", '{"rules":{"no-secrets/no-secrets":"error","keyword-spacing":["error",{"before":true}]}}\n'),
    (
        ".secrets.baseline",
        json.dumps(
            {
                "results": {
                    "a.py": [{"type": "Secret Keyword", "hashed_secret": hexadecimal("ds", 40), "line_number": 3}]
                }
            },
            indent=1,
        ),
    ),
    (
        "jw.md",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
        + "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c\n",
    ),
    ("sa.ts", f"const anon = '{jwt(role='anon')}'\n"),
    (
        "et.ts",
        "const CONTRACT = '0x"
        + hexadecimal("et", 40)
        + "';\nconst TOKEN_ADDRESS = '0x"
        + hexadecimal("et2", 40)
        + "';\n",
    ),
    ("tx.json", '{"transactionHash":"0x' + H64 + '"}\n'),
    ("bi.json", '{"buildId":"' + letters("bi", 21) + '","assetPrefix":""}\n'),
    (
        "pubspec.lock",
        f'  flutter_secure_storage:\n    dependency: "direct main"\n    description:\n      sha256: "{H64}"\n',
    ),
    ("Podfile.lock", f"SPEC CHECKSUMS:\n  FirebaseAuth: {hexadecimal('pf', 40)}\n"),
    (
        "ko.ts",
        "export default { password: '비밀번호', newPassword: '새 비밀번호', token: '토큰', apiKey: 'API 키를 입력하세요' }\n",
    ),
    (
        "ec.ts",
        "INVALID_PASSWORD: 'auth/wrong-password', TOKEN_EXPIRED: 'E_TOKEN_EXPIRED', secretMissing: 'secret_missing'\n",
    ),
    (
        "dv.py",
        "AUTH_PASSWORD_VALIDATORS = [{'NAME': 'django.contrib.auth.password_validation.MinimumLengthValidator'}]\nPASSWORD_HASHERS = ['django.contrib.auth.hashers.Argon2PasswordHasher']\nCSRF_COOKIE_NAME='csrftoken'\n",
    ),
    ("cn.tsx", "<div className='password-input-wrapper token-list secret-key-panel' data-testid='api-key-field'/>\n"),
    (
        "mk.mk",
        'deploy:\n\t@test -n "$(TOKEN)" || (echo \'TOKEN missing\'; exit 1)\n\tcurl -H "Authorization: Bearer $(TOKEN)" x\n',
    ),
    (
        "lu.env.example",
        "DATABASE_URL=postgres://postgres:postgres@localhost:5432/shop\nREDIS_URL=redis://localhost:6379\nMONGO=mongodb://root:example@mongo:27017\n",
    ),
    ("ua.md", "https://medium.com/@shopdev/how-to-a1b2c3d4e5f6 https://unpkg.com/react@18.2.0/umd\n"),
    ("gu.md", "git clone ssh://git@github.com:22/shop/api.git\n"),
    (
        "pr.ps1",
        '$Password = Read-Host -AsSecureString "Password"\n$secure = ConvertTo-SecureString $env:PW -AsPlainText -Force\n',
    ),
    (
        "J2/Jenkinsfile",
        "withCredentials([usernamePassword(credentialsId: 'nexus-deployer', usernameVariable: 'U', passwordVariable: 'P')]) {}\nAWS_SECRET = credentials('aws-secret-key-production')\n",
    ),
    (
        "b/build.gradle",
        "password = project.findProperty('nexusPassword') ?: System.getenv('NEXUS_PASSWORD')\nstorePassword keystoreProperties['storePassword']\n",
    ),
    ("pom.xml", "<password>${env.NEXUS_PASSWORD}</password>\n<artifactId>spring-security-oauth2-token</artifactId>\n"),
    (
        "At.cs",
        '[Required(ErrorMessage = "Password is required")]\n[DataType(DataType.Password)]\npublic string Password { get; set; } = string.Empty;\n',
    ),
    ("x.ex", "field :password, :string, virtual: true, redact: true\nfield :hashed_password, :string\n"),
    ("d.rs", "pub struct Login { pub password: String, pub token: Option<String> }\nlet token = Token::new(claims);\n"),
    ("lo.md", "Lorem ipsum key: dolor sit amet secret: consectetur token: adipiscing\n"),
    ("ph.md", "비밀번호 문의: 02-1234-5678, 내선 301\n"),
    ("dh.md", "초기 비밀번호는 사번과 같습니다.\n초기 비밀번호: 생년월일 6자리\n"),
    (
        "K.java",
        'public static final String JWT_SECRET_KEY = "jwt.secret";\nprivate static final String TOKEN_PREFIX = "Bearer ";\nString PASSWORD_PARAM = "j_password";\n',
    ),
    (
        "A.java",
        '@JsonProperty("access_token") private String accessToken;\n@Column(name = "password_hash") private String pw;\n@RequestHeader("X-Api-Key") String apiKey\n',
    ),
    (
        "S.java",
        'http.formLogin().usernameParameter("email").passwordParameter("passwd").and().csrf().csrfTokenRepository(CookieCsrfTokenRepository.withHttpOnlyFalse());\n',
    ),
    ("R.kt", '@Header("Authorization") token: String, @Field("client_secret") clientSecret: String\n'),
    (
        "z.ts",
        "const schema = z.object({ password: z.string().min(8, '비밀번호는 8자 이상'), apiKey: z.string().regex(/^[A-Z0-9]{32}$/) });\n",
    ),
    (
        "m.ts",
        "const messages = { passwordMismatch: 'Passwords do not match', tokenInvalid: 'Token invalid', secretRequired: 'secret is required!' };\n",
    ),
    ("t.tsx", "<Input data-testid='password-input-field-1' name='newPassword2' label='Password *' />\n"),
    (
        "q.ts",
        "export const userKeys = { all: ['users'] as const, token: (id: string) => [...userKeys.all, 'token', id] };\nlocalStorage.getItem('accessToken');\nsessionStorage.setItem('refresh_token', data.refreshToken);\n",
    ),
    ("c.ts", "cookies().set('access_token', token, { httpOnly: true, secure: true, maxAge: 60*60*24 });\n"),
    (
        "r.ts",
        "const PASSWORD_REGEX = /^(?=.*[A-Za-z])(?=.*\\d)[A-Za-z\\d@$!%*#?&]{8,}$/;\nconst apiKeyPattern = 'sk-[a-zA-Z0-9]{48}';\n",
    ),
    (
        "r.py",
        "PATTERNS = {'aws': r'AKIA[0-9A-Z]{16}', 'github': r'ghp_[A-Za-z0-9]{36}', 'password': r'password\\s*=\\s*[\\'\"](.+)[\\'\"]'}\n",
    ),
    (
        "e.py",
        "class TokenType(str, Enum):\n    ACCESS = 'access'\n    PASSWORD_RESET = 'password_reset'\n    API_KEY = 'api_key_v2'\n",
    ),
    ("tests/factories.py", "password = factory.PostGenerationMethodCall('set_password', 'defaultpassword')\n"),
    ("l.py", "log.debug('token=%s secret=%s', mask(token), '***')\nraise AuthError('Invalid API key: %s' % key_id)\n"),
    ("g.py", "password = getpass.getpass('Password: ')\npw = input('비밀번호: ')\ntoken = secrets.token_urlsafe(32)\n"),
    (
        "a.py",
        "self.password = password\nkwargs['password'] = self._password\nsecret=self.secret_manager.get('shop/db')['password']\n",
    ),
    (
        "d.py",
        'def login(username, password):\n    """Log in.\n\n    :param password: the plain password, at least 8 characters\n    :type token: str\n    :return token: JWT\n    """\n',
    ),
    (
        "t.go",
        'type User struct {\n\tPassword string `json:"-" db:"password_hash" validate:"required,min=8"`\n\tAPIKey string `json:"api_key" env:"API_KEY,required"`\n}\n',
    ),
    (
        "e.go",
        'var ErrInvalidPassword = errors.New("invalid password")\nvar ErrTokenExpired = fmt.Errorf("token expired at %v", t)\n',
    ),
    ("f.go", 'flag.StringVar(&password, "password", "", "database password")\nviper.SetDefault("jwt.secret", "")\n'),
    (
        "s.rs",
        '#[serde(rename = "access_token")]\npub access_token: String,\n#[arg(long, env = "DB_PASSWORD")]\ndb_password: String,\n',
    ),
    (
        "C.cs",
        'services.Configure<JwtOptions>(Configuration.GetSection("Jwt:Secret"));\nconst string PasswordPolicy = "PasswordPolicy";\n[JsonPropertyName("client_secret")]\n',
    ),
    (
        "c.php",
        "<?php return ['passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]], 'key' => env('APP_KEY'), 'cipher' => 'AES-256-CBC'];\n",
    ),
    ("lang/ko/auth.php", "<?php return ['password' => '비밀번호가 일치하지 않습니다.', 'throttle' => 'x'];\n"),
    (
        "l.blade.php",
        '<x-input type="password" name="password" :value="old(\'password\')" placeholder="Password123" />\n',
    ),
    (
        "u.rb",
        "params.require(:user).permit(:email, :password, :password_confirmation)\nhas_secure_password\nhas_secure_token :api_token, length: 36\nconfig.filter_parameters += [:password, :token, :secret]\n",
    ),
    (
        "k.swift",
        'let tokenKey = "com.shop.app.accessToken"\nKeychain(service: "kr.co.shop")["password"] = pw\nstatic let passwordCell = "PasswordTableViewCell"\n',
    ),
    (
        "l.dart",
        "TextFormField(obscureText: true, decoration: InputDecoration(labelText: 'Password', hintText: 'At least 8 characters'))\nfinal storage = FlutterSecureStorage(); await storage.read(key: 'jwt_token');\n",
    ),
    (
        ".github/workflows/r.yml",
        "on:\n  workflow_call:\n    secrets:\n      DEPLOY_KEY:\n        required: true\n        description: 'SSH key'\njobs:\n  a:\n    secrets:\n      token: ${{ secrets.GITHUB_TOKEN }}\n",
    ),
    (
        "sa.yaml",
        "automountServiceAccountToken: false\nvolumes:\n- name: token\n  projected:\n    sources:\n    - serviceAccountToken:\n        path: vault-token\n        expirationSeconds: 7200\n",
    ),
    (
        "csi.yaml",
        "objects: |\n  - objectName: shop/prod/db\n    objectType: secretsmanager\nsecretObjects:\n- secretName: db-credentials-prod\n  data:\n  - objectName: db-password\n    key: password\n",
    ),
    (
        "cm.yaml",
        "privateKeySecretRef:\n  name: letsencrypt-prod-account-key\nkeystores:\n  jks:\n    passwordSecretRef: {name: jks-password, key: password-key}\n",
    ),
    (
        "t.yml",
        "--certificatesresolvers.le.acme.storage=/acme/acme.json\ntraefik.http.middlewares.auth.basicauth.usersfile: /run/secrets/users\n",
    ),
    (
        "s.yml",
        "securityDefinitions:\n  OAuth2:\n    tokenUrl: https://id.shop.co.kr/oauth/token\n    flow: password\nexample:\n  password: 'string'\n  token: 'eyJhbGciOi...'\n",
    ),
    (
        "mkdocs.yml",
        "nav:\n  - Password reset: guides/password-reset.md\n  - API key: reference/api-key-v2.md\n  - Secret: x.md\n",
    ),
    (".github/dependabot.yml", "registries:\n  npm:\n    type: npm-registry\n    token: ${{secrets.NPM_TOKEN}}\n"),
    (
        "ssm.tf",
        'data "aws_ssm_parameter" "db_password" {\n  name = "/shop/prod/db_password"\n}\nresource "aws_secretsmanager_secret" "db" { name = "shop/prod/db-password-v2" }\noutput "password" { value = random_password.p.result\n sensitive = true }\n',
    ),
    (
        "m.tf",
        'manage_master_user_password = true\nkms_key_id = "alias/aws/secretsmanager"\nkey_name = "shop-prod-keypair"\npublic_key = file("~/.ssh/id_ed25519.pub")\n',
    ),
    (
        "u.sh",
        'echo "Usage: $0 --user <user> --password <password> [--token TOKEN]"\ncase $1 in --password) PASSWORD="$2"; shift 2;; esac\n: "${DB_PASSWORD:?must be set}"\n',
    ),
    (
        "r.sh",
        'PASSWORD=$(aws secretsmanager get-secret-value --secret-id shop/db --query SecretString --output text)\nexport PGPASSWORD="$DB_PASSWORD"\nTOKEN="$(cat /var/run/secrets/token)"\n',
    ),
    ("c.sh", 'curl -sS -H "Authorization: Bearer ${TOKEN}" -u "${USER}:${PASS}" -d "password=${PASS}" https://x\n'),
    (
        "D3/Dockerfile",
        "RUN --mount=type=secret,id=npm_token NPM_TOKEN=$(cat /run/secrets/npm_token) npm ci\nARG NPM_TOKEN\nENV NPM_TOKEN=$NPM_TOKEN\n",
    ),
    (
        "a.sql",
        "CREATE ROLE app LOGIN PASSWORD :'app_password';\nALTER TABLE users ADD COLUMN password_hash text;\nCOMMENT ON COLUMN users.api_key IS 'key of the user';\n",
    ),
    ("m.sql", "INSERT INTO settings (key, value) VALUES ('password_min_length', '8'), ('token_ttl', '3600');\n"),
    (
        "e.md",
        "| Name | Default | Description |\n|--|--|--|\n| `SECRET_KEY` | (required) | signing key |\n| `DB_PASSWORD` | `postgres` | database password |\n| API_TOKEN | - | from the console |\n",
    ),
    (
        "k.md",
        "비밀번호는 `.env` 파일의 DB_PASSWORD 값을 사용합니다.\n암호는 bcrypt로 해시합니다.\n토큰: 로그인 후 발급\n비밀번호: 관리자에게 문의하세요.\nAPI 키: 콘솔 > 설정 > API 키에서 발급\n시크릿 키는 GitHub Actions Secrets에 등록\n",
    ),
    (
        "g.md",
        "Your API key: you can find it in Settings.\nPassword: minimum 12 characters, one symbol!\nSecret Key: `openssl rand -hex 32`\nThe default password is printed in the log.\nToken: see [docs](https://docs.shop.co.kr/token-v2)\n",
    ),
    (
        "c.md",
        "```env\nDATABASE_URL=postgresql://postgres:postgres@localhost:5432/app\nJWT_SECRET=your-256-bit-secret\nSTRIPE_SECRET_KEY=sk_test_...\nAWS_SECRET_ACCESS_KEY=<secret>\n```\n",
    ),
    (
        "CHANGELOG.md",
        "- fix: password reset token 만료 (#1234)\n- feat(auth): token rotation v2.3.1\n- Password: hashing moved to argon2id\n- secret: renamed to `app-secret`\n",
    ),
    (
        "f.html",
        '<input type="hidden" name="csrf_token" value="{{ csrf_token }}">\n<input type="password" placeholder="Password123!" autocomplete="new-password">\n<p>Password: <span id="pw-rule">8+ characters</span></p>\n',
    ),
    (
        "l.xml",
        '<EditText android:hint="@string/password" android:inputType="textPassword" android:id="@+id/password_input"/>\n<string name="title_api_key">API key</string>\n',
    ),
    (
        "p.xml",
        "<server><id>x</id><password>${env.PW}</password></server>\n<plugin><artifactId>password-strength-4j</artifactId></plugin>\n<password></password>\n",
    ),
    (
        "s.json",
        json.dumps(
            {
                "properties": {
                    "password": {"type": "string", "minLength": 8, "description": "Password of the user"},
                    "api_key": {"$ref": "#/definitions/key1"},
                }
            },
            indent=1,
        ),
    ),
    (
        "v.json",
        json.dumps(
            {"password": "${env:DB_PASSWORD}", "token": "${input:token}", "apiKey": "{{apiKey}}", "secret": "$(secret)"}
        ),
    ),
    (
        "package.json",
        json.dumps(
            {
                "name": "password-generator",
                "keywords": ["password", "secret-key", "token2"],
                "dependencies": {"jsonwebtoken": "^9.0.2", "@types/passport-jwt": "4.0.1", "secret-token": "1.2.3"},
            }
        ),
    ),
    (
        "c.postman_collection.json",
        json.dumps(
            {"auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{access_token}}", "type": "string"}]}}
        ),
    ),
    (
        "n.ipynb",
        json.dumps(
            {
                "cells": [
                    {
                        "cell_type": "code",
                        "source": ["password = getpass()\n", "token = os.environ['HF_TOKEN']\n"],
                        "outputs": [{"data": {"image/png": letters("nb", 3000, B64)}}],
                    }
                ]
            }
        ),
    ),
    (
        ".env.example",
        "# 데이터베이스 비밀번호 (필수)\nDB_PASSWORD=비밀번호\nJWT_SECRET=랜덤문자열32자이상\nNAVER_CLIENT_SECRET=네이버_시크릿\nAPI_KEY=발급받은키\n",
    ),
    (
        "env.example",
        "SECRET_KEY=generate_a_long_random_string\nDB_PASSWORD=mypassword\nSMTP_PASSWORD=your_smtp_password_here\nOPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxx\nREDIS_URL=redis://:password@localhost:6379/0\n",
    ),
    (
        "x.ini",
        ";password = secret\n# password: see vault\npassword_file = /etc/shop/pw\npassword_command = pass show shop/db\n",
    ),
    (
        "n.conf",
        "proxy_set_header X-Api-Key $http_x_api_key;\nproxy_set_header Authorization $http_authorization;\nproxy_cache_key $scheme$proxy_host$request_uri;\nfastcgi_param HTTP_TOKEN $token;\nkeys_zone=api_key:10m;\nssl_password_file /etc/nginx/pw.txt;\n",
    ),
    (
        "h.h",
        '#define PASSWORD_MAX 64\n#define TOKEN_STRING "token"\n#define KEY_PASSWORD "password"\n#define API_KEY_HEADER "X-API-KEY"\n#define ERR_BAD_PASSWORD "Bad password given"\n',
    ),
    (
        "CMakeLists.txt",
        'set(TOKEN_FILE "${CMAKE_BINARY_DIR}/token")\nset(SECRET_SOURCES secret.c token.c)\nset(API_KEY "" CACHE STRING "key of the api")\n',
    ),
    (
        "k.clj",
        '(def password-field :user/password)\n{:db/password (env :db-password) :token nil :secret-key (System/getenv "SECRET_KEY")}\n',
    ),
    ("i.cpp", 'Token token{TokenType::Identifier, "identifier"};\nPassword password{};\nauto key = Key{"name"};\n'),
    ("e.exp", 'expect "password:"\nsend "$password\\r"\n'),
    ("a.test.js", "expect(password).toBeDefined()\nsend('hello')\n"),
    ("an.yml", "x-token: &token\n  ttl: 3600\nsecret: *default-secret\npassword: &pw ${W1}\n"),
    ("q.ts", "fetch(`/api?key=${apiKey}`); fetch('/x?key=users-list-page-2-sorted-by-name-asc')\n"),
    (
        "jwt.json",
        json.dumps(
            {"Jwt": {"Issuer": "https://shop.co.kr", "Audience": "shop-web", "Key": "", "KeyId": "2024-01-rotation"}},
            indent=1,
        ),
    ),
    (
        "jwt.yml",
        "jwt:\n  issuer: shop\n  key: ${JWT_KEY}\nencryption:\n  enabled: true\n  key: /etc/keys/encryption.pem\n",
    ),
    (
        "c.py",
        "client.connect('localhost', 1883, 60)\nsock.connect(('10.0.0.1', 22))\nsignal.connect('clicked', 'on_click', 'handler_name1')\n",
    ),
    ("l.ts", "await login('kim@shop.co.kr', form.password);\nauthenticate('local', { session: false })\n"),
    (
        "fd.py",
        "password = forms.CharField(label='Password', initial='', help_text='x')\ntoken: str = Field(default='', alias='X-Token')\nstatus = models.CharField(default='token_v1')\n",
    ),
    ("tr.py", 'PASSWORD_HELP = """Use at least 8 characters."""\nTOKEN = """\nmultiline\n"""\n'),
    (
        "locales/ko/auth.json",
        json.dumps(
            {
                "token": "토큰123",
                "api_key": "API 키: abc",
                "secret_key_placeholder": "sk_live_로 시작하는 키",
                "password": "Passwort2",
            },
            ensure_ascii=False,
        ),
    ),
    ("a.yml", "password: ENC(abcdEFGH1234)\nusername: ${U}\n"),
    (
        "A.java",
        'if (!password.equals(confirm)) throw new X("password.mismatch");\nmodel.addAttribute("password", "");\n',
    ),
    ("ValidationMessages.properties", "password.required=비밀번호를 입력하세요\npassword.pattern=8~20자 영문 숫자\n"),
    ("b.gradle.kts", 'password = providers.gradleProperty("nexusPassword").get()\nval token: String by project\n'),
    (
        "a.py",
        "url = f'postgres://{u}:{p}@{h}'\nparams = {'password': pw, 'token': self.token}\nSECRET = read_secret('db')\n",
    ),
    ("b.py", "def f(password: str = '', token: Optional[str] = None, api_key: str = API_KEY): ...\n"),
    (
        "tests/test_x.py",
        "SECRET = 'test-secret'\nclient.login(username='a', password='pass1234')\nheaders={'Authorization':'Bearer test-token'}\n",
    ),
    (
        "a.vue",
        "<el-form-item prop='password' label='비밀번호'><el-input v-model='form.password' show-password /></el-form-item>\n",
    ),
    (
        "b.ts",
        "export const changePassword = (d) => http.put('/users/password', d);\nconst TOKEN_NAME = 'x-auth-token';\n",
    ),
    ("c.ts", "case 'auth/wrong-password': return '비밀번호가 틀렸습니다';\nif (e.code === 'INVALID_TOKEN_401') {}\n"),
    ("a_test.go", 'cfg := Config{Password: "secret", Token: "abc"}\n'),
    ("a.rb", "validates :password, length: { minimum: 8 }, if: :password_required?\ntoken = SecureRandom.hex(20)\n"),
    (
        "k.yaml",
        'env:\n- name: TOKEN_PATH\n  value: /var/run/token\n- name: PASSWORD_MIN\n  value: "8"\n- name: SECRET_NAME\n  value: shop-secret\n',
    ),
    (
        "docker-compose.yml",
        "environment:\n  DB_PASSWORD: ${DB_PASSWORD}\n  SECRET_KEY_FILE: /run/secrets/k\n  JWT_ALGORITHM: HS256\n",
    ),
    (
        "a.md",
        "- `POST /auth/password-reset` password 변경\n- 토큰 유효기간: 30분\n- API 키: `X-API-KEY` 헤더\n- 비밀번호: bcrypt(12)\n- 암호화 키: KMS 관리\n",
    ),
    (
        "b.md",
        "Password rules: 8-20 chars, A-Z, a-z, 0-9!\nPassword must contain 1 number & 1 symbol!\npassword (min8!) is required\n",
    ),
    ("c.md", "the password is hashed with SHA-256+salt and token v2.0 is used; secret (HS256!) rotates\n"),
    ("d.md", "Password: Abc\n\nAPI key v2 docs: https://x/y\n"),
    (
        "a.html",
        '<label>Password <input type="password" name="pw" maxlength="20"></label><a href="/reset?token={{t}}">reset</a>\n',
    ),
    (
        "a.json",
        json.dumps(
            {"passwordPolicy": {"minLength": 8}, "tokenType": "JWT", "keyboard": "qwerty", "secretName": "shop/db"}
        ),
    ),
    ("a.csv", "email,role,token\nkim@x.kr,admin,\n"),
    (
        "a.sh",
        "if [ -z \"$PASSWORD\" ]; then echo 'PASSWORD is required!'; fi\nmysql -u$U -p$P db\nDB_PASSWORD=`cat pw`\n",
    ),
    ("composer.lock", '{"name":"x/password-compat","dist":{"shasum":"' + hexadecimal("z", 40) + '"}}\n'),
    ("a.py", "result = expect('password prompt')\nself.send('x')\n"),
    (
        "a.md",
        "sha256: "
        + hexadecimal("q", 64)
        + "\ncommit "
        + hexadecimal("w", 40)
        + '\nETag: "'
        + hexadecimal("e", 32)
        + '"\n',
    ),
    (
        "a.js",
        "fetch(`https://x/y?key=${K}`)\nconst u='https://maps.googleapis.com/maps/api/js?key=YOUR_API_KEY&callback=init'\n",
    ),
    (
        "a.js",
        "crypto.createHmac('sha256', secret).update('payload-body-text').digest('hex')\ncrypto.createHmac('sha256', process.env.SECRET)\n",
    ),
    ("a.js", "bcrypt.hash(password, 10)\nbcrypt.compareSync('a', hash)\nHash::make($request->password)\n"),
    ("a.ts", "await page.fill('#email', 'a@b.c');\nawait page.fill('#password', process.env.PW);\n"),
    ("a.go", 'smtp.PlainAuth("", user, pass, host)\n'),
    ("a.rs", '#[arg(long, default_value = "http://localhost:8080")]\n    token_url: String,\n'),
    ("CMakeLists.txt", 'set(PASSWORD_FILE "pw.txt")\nset(TOKEN_LIB token)\n'),
    ("a.h", '#define SECRET_H\n#define TOKEN_MAX 10\n#define PASSWORD_PROMPT "Password: "\n'),
    ("a.bas", 'If pw = "" Then MsgBox "Password required!"\n'),
    ("a.md", "Change the password ASAP! Use password-manager@work, or password+otp.\n"),
    ("a.md", "| 항목 | 설명 |\n|--|--|\n| 비밀번호 | 8자 이상! |\n| 토큰 | JWT(HS256) |\n"),
]
