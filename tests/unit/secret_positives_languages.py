"""Texts with a secret in them: languages, infrastructure, providers. Written without a look at the rules."""

# ruff: noqa: E501, ISC  (a case is one line)
from __future__ import annotations

import base64
import json

from secret_samples import base32, hexadecimal, jwt, letters, pem, wide

B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
DIGITS = "0123456789"
LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
UP = LATIN[:26] + DIGITS
LO = LATIN[26:] + DIGITS
W1 = "Kw7!mzQ2" + "pLx9"
W2 = "shop" + "Adm1n#2024"
W4 = "hj" + "kim0412"
W5 = "Bluewhale" + "77"
K32, K40, H32, H64 = letters("k", 32), letters("k", 40), hexadecimal("x", 32), hexadecimal("x", 64)


def nb(*source: str, out: object = None) -> str:
    """A notebook of one cell."""
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": out or [], "execution_count": 1}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def pg(number: int) -> str:
    return letters(f"pg{number}", 64, B64)


IN_LANGUAGES: list[tuple[str, str]] = [
    ("internal/db/db.go", f'package db\n\nconst dbPassword = "{W1}"\n'),
    ("main.go", f'cfg := mysql.Config{{\n\tUser:   "shop",\n\tPasswd: "{W1}",\n\tNet: "tcp",\n}}\n'),
    ("store.go", f'db, err := sql.Open("mysql", "shop:{W4}@tcp(10.0.3.4:3306)/shop?parseTime=true")\n'),
    ("store2.go", f'dsn := "host=db.shop.co.kr user=shop password={W4} dbname=shop port=5432 sslmode=disable"\n'),
    ("x_main.go", f'os.Setenv("SMTP_PASSWORD", "{W1}")\n'),
    ("client.go", f'req.SetBasicAuth("shipbot", "{W1}")\n'),
    ("auth.go", f'var jwtKey = []byte("{letters("jk", 28)}")\n'),
    ("src/main/java/App.java", f'private static final String DB_PASSWORD = "{W1}";\n'),
    ("Dao.java", f'Connection c = DriverManager.getConnection("jdbc:mysql://db.shop.co.kr/shop", "shop", "{W1}");\n'),
    ("Mail.java", f'mailSender.setPassword("{W1}");\n'),
    ("Conf.java", f'@Value("${{jwt.secret:{letters("jv", 40)}}}")\nprivate String jwtSecret;\n'),
    ("B.java", f'dataSource = DataSourceBuilder.create().username("shop").password("{W1}").build();\n'),
    ("App.kt", f'val apiSecret: String = "{K32}"\n'),
    ("Keys.kt", f'const val KAKAO_REST_API_KEY = "{H32}"\n'),
    (
        "app/build.gradle",
        f'signingConfigs {{ release {{ storeFile file("shop.jks")\n storePassword "{W1}"\n keyAlias "shop"\n keyPassword "{W2}" }} }}\n',
    ),
    ("build.gradle.kts", f'credentials {{\n  username = "deployer"\n  password = "{W1}"\n}}\n'),
    ("gradle.properties", f"RELEASE_STORE_PASSWORD={W5}\nRELEASE_KEY_ALIAS=shop\n"),
    ("Db.cs", f'private const string ApiKey = "{K32}";\n'),
    (
        "Db2.cs",
        f'var cs = "Server=tcp:shop.database.windows.net,1433;Database=shop;User ID=shop;Password={W1};Encrypt=True;";\n',
    ),
    ("Mail.cs", f'client.Credentials = new NetworkCredential("mailer@shop.co.kr", "{W1}");\n'),
    (
        "appsettings.Production.json",
        f'{{"ConnectionStrings": {{"Default": "Data Source=db1;Initial Catalog=shop;User Id=sa;Pwd={W1};"}}}}\n',
    ),
    ("appsettings.json", json.dumps({"Jwt": {"Issuer": "shop", "Key": letters("jwtk", 44)}}, indent=2)),
    ("wp-config.php", f"<?php\ndefine( 'DB_NAME', 'shop' );\ndefine( 'DB_PASSWORD', '{W1}' );\n"),
    ("wp-config2.php", f"<?php\ndefine('AUTH_KEY',         '{letters('wp', 60)}');\n"),
    (
        "config/database.php",
        f"<?php\nreturn ['default' => ['driver' => 'mysql', 'password' => '{W1}', 'charset' => 'utf8']];\n",
    ),
    (
        "config/app.php",
        f"<?php return ['key' => env('APP_KEY', 'base64:{base64.b64encode(letters('lk', 32).encode()).decode()}')];\n",
    ),
    ("db.php", f'<?php $conn = mysqli_connect("localhost", "shop", "{W1}", "shop");\n'),
    ("pdo.php", f"<?php $db = new PDO('mysql:host=10.1.2.3;dbname=shop', 'shop', '{W1}');\n"),
    ("inc.php", f"<?php\n$db_pass = '{W4}';\n"),
    ("config/settings.rb", f"Settings = {{ smtp: {{ user_name: 'x', password: '{W1}' }} }}\n"),
    ("deploy.rb", f"set :default_env, {{ :db_password => '{W1}' }}\n"),
    ("config/database.yml", f"production:\n  adapter: postgresql\n  username: shop\n  password: {W4}\n"),
    ("config/secrets.yml", f"production:\n  secret_key_base: {hexadecimal('skb', 128)}\n"),
    ("src/main.rs", f'const API_TOKEN: &str = "{K40}";\n'),
    ("src/cfg.rs", f'let secret = env::var("JWT_SECRET").unwrap_or_else(|_| "{letters("ru", 30)}".to_string());\n'),
    ("Keys.swift", f'let stripeSecretKey = "sk_live_{letters("sw", 24)}"\n'),
    ("Api.swift", f'static let clientSecret = "{K32}"\n'),
    ("Keys.m", f'#define kClientSecret @"{K32}"\n'),
    ("wifi.h", f'#define WIFI_PASSWORD "{W5}"\n'),
    ("sketch.ino", f'const char* password = "{W5}";\n'),
    ("net.cpp", f'std::string db_password{{"{W1}"}};\n'),
    ("lib/env.dart", f"static const String naverClientSecret = '{letters('nv', 10)}';\n"),
    ("application.conf", f'db.default.password="{W1}"\nplay.http.secret.key = "{letters("pl", 64)}"\n'),
    ("config/prod.exs", f'config :shop, ShopWeb.Endpoint,\n  secret_key_base: "{letters("ex", 64)}"\n'),
    ("project.clj", f':db {{:user "shop" :password "{W1}"}}\n'),
    ("x.pl", f'my $dbh = DBI->connect("dbi:mysql:shop", "shop", "{W1}");\n'),
    ("conf.lua", f'local redis_password = "{W1}"\n'),
    ("load.R", f'con <- dbConnect(RPostgres::Postgres(), user = "shop", password = "{W1}")\n'),
    ("Module1.vb", f'Dim strPassword As String = "{W1}"\n'),
    ("deploy.ps1", f'$Password = ConvertTo-SecureString "{W1}" -AsPlainText -Force\n'),
    ("run.ps1", f'$env:DB_PASSWORD = "{W1}"\n'),
    ("run.bat", f'@echo off\r\nset DB_PASSWORD={W4}\r\nset "API_SECRET={K32}"\r\n'),
    ("map.cmd", f"net use Z: \\\\nas\\share {W4} /user:shop\r\n"),
    ("env.sh", f"export MAIL_PASSWORD='{W1}'\n"),
    ("deploy.sh", f"curl -u admin:{W4} -X POST https://jenkins.shop.co.kr/job/ship/build\n"),
    ("call.sh", f'curl -H "Authorization: Bearer {letters("be", 40)}" https://api.shop.co.kr/v1/orders\n'),
    ("backup.sh", f"mysqldump -ushop -p{W4} shop > /tmp/x.sql\n"),
    ("cp.sh", f"sshpass -p '{W1}' scp dist.tgz root@10.0.0.5:/srv\n"),
    ("dump.sh", f"PGPASSWORD={W4} pg_dump -h db shop\n"),
    ("push.sh", f"docker login registry.shop.co.kr -u ci -p {W4}\n"),
    ("push2.sh", f"echo '{W1}' | docker login -u ci --password-stdin registry.shop.co.kr\n"),
    ("r.sh", f"redis-cli -h 10.0.0.2 -a {W4} FLUSHALL\n"),
    ("m.sh", f"mongodump --host db --username root --password {W4} --authenticationDatabase admin\n"),
    (
        "aws.sh",
        f"aws rds create-db-instance --db-instance-identifier shop --master-username shop --master-user-password {W4}\n",
    ),
    ("dec.sh", f"openssl enc -d -aes-256-cbc -in a.enc -out a -pass pass:{W4}\n"),
    ("mk.sh", f"echo 'deploy:{W4}' | chpasswd\n"),
    ("s.sh", f"echo {W4} | sudo -S systemctl restart nginx\n"),
    ("kt.sh", f"keytool -genkey -keystore shop.jks -storepass {W4} -keypass {W4}\n"),
    ("z.sh", f"zip -P {W4} -r a.zip data\n"),
    ("h.sh", f"htpasswd -bc .htpasswd admin {W4}\n"),
    ("w.sh", f"wget --user=ci --password={W4} https://repo.shop.co.kr/a.tgz\n"),
    ("sq.sh", f"sqlcmd -S db1 -U sa -P {W1} -Q 'select 1'\n"),
    ("l.sh", f"ldapsearch -x -D cn=admin,dc=shop -w {W4} -b dc=shop\n"),
    (
        "az.sh",
        f"az login --service-principal -u 0a1b2c3d-1111-2222-3333-444455556666 -p {letters('azp', 34)} --tenant shop\n",
    ),
    ("entry.sh", f'DB_PASSWORD="${{DB_PASSWORD:-{W4}}}"\n'),
    ("mkenv.sh", f"cat > .env <<EOF\nSECRET_KEY={letters('hd', 40)}\nEOF\n"),
    ("init.sql", f"CREATE USER 'shop'@'%' IDENTIFIED BY '{W1}';\n"),
    ("init-pg.sql", f"CREATE ROLE shop WITH LOGIN PASSWORD '{W4}';\n"),
    ("chg.sql", f"ALTER USER postgres PASSWORD '{W4}';\n"),
    ("ms.sql", f"CREATE LOGIN shop WITH PASSWORD = '{W1}';\n"),
    ("g.sql", f"GRANT ALL ON shop.* TO 'shop'@'localhost' IDENTIFIED BY '{W4}';\n"),
    ("main.tf", f'resource "aws_db_instance" "shop" {{\n  username = "shop"\n  password = "{W4}"\n}}\n'),
    ("variables.tf", f'variable "db_password" {{\n  type    = string\n  default = "{W4}"\n}}\n'),
    ("prod.auto.tfvars", f'db_password = "{W4}"\n'),
    ("charts/shop/values-prod.yaml", f"postgresql:\n  auth:\n    postgresPassword: {W4}\n"),
    ("k8s/secret.yaml", f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\nstringData:\n  DB_PASS: {W4}\n"),
    (
        "k8s/secret2.yaml",
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\ntype: Opaque\ndata:\n  password: {base64.b64encode(W1.encode()).decode()}\n",
    ),
    ("k8s/deploy.yaml", f"env:\n- name: DB_PASSWORD\n  value: {W4}\n- name: X\n  value: y\n"),
    (
        "k8s/reg.yaml",
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: "
        + base64.b64encode(
            json.dumps({"auths": {"ghcr.io": {"auth": base64.b64encode(f"ci:{W1}".encode()).decode()}}}).encode()
        ).decode()
        + "\n",
    ),
    ("group_vars/all.yml", f"mysql_root_password: {W4}\nansible_become_pass: {W5}\n"),
    ("hosts.ini", f"[web]\n10.0.0.5 ansible_user=deploy ansible_ssh_pass={W4}\n"),
    (".gitlab-ci.yml", f"variables:\n  DEPLOY_TOKEN: gldt-{letters('gl', 20)}\n"),
    ("x/.gitlab-ci.yml", f"deploy:\n  script:\n    - docker login -u ci -p {W4} registry.shop.co.kr\n"),
    ("Jenkinsfile", f"environment {{\n  NEXUS_PASSWORD = '{W1}'\n}}\n"),
    (
        "docker-compose.yml",
        f"services:\n  db:\n    image: mysql:8\n    environment:\n      MYSQL_ROOT_PASSWORD: {W4}\n",
    ),
    ("compose.prod.yaml", f"services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD={W4}\n"),
    (
        "docker-compose.redis.yml",
        f"services:\n  redis:\n    command: redis-server --requirepass {W4} --appendonly yes\n",
    ),
    ("Dockerfile", f"FROM node:20\nENV DB_PASSWORD={W4}\n"),
    ("Dockerfile.prod", f"FROM node:20\nENV API_SECRET {K32}\n"),
    ("api/Dockerfile", f"FROM node:20\nARG NPM_TOKEN=npm_{letters('npm', 36)}\n"),
    ("shop.service", f'[Service]\nEnvironment="DB_PASSWORD={W4}" "PORT=80"\n'),
    ("nginx.conf", f'proxy_set_header Authorization "Basic {base64.b64encode(f"admin:{W1}".encode()).decode()}";\n'),
    ("application.properties", f"spring.datasource.username=shop\nspring.datasource.password={W4}\n"),
    ("application-prod.properties", f"spring.mail.password = {W4}\njwt.secret : {letters('ps', 40)}\n"),
    ("application-prod.yml", f"spring:\n  datasource:\n    password: '{W1}'\n"),
    ("application-enc.yml", f"jasypt:\n  encryptor:\n    password: {W4}\n"),
    (
        "web.config",
        f'<configuration><connectionStrings><add name="D" connectionString="Server=db1;Database=shop;Uid=shop;Pwd={W4};"/></connectionStrings></configuration>\n',
    ),
    ("app.config", f'<appSettings>\n <add key="SmtpPassword" value="{W1}" />\n</appSettings>\n'),
    (
        "settings.xml",
        f"<settings><servers><server>\n<id>nexus</id>\n<username>ci</username>\n<password>{W4}</password>\n</server></servers></settings>\n",
    ),
    ("context.xml", f'<Resource name="jdbc/shop" username="shop" password="{W4}" driverClassName="x"/>\n'),
    ("tomcat-users.xml", f'<user username="admin" password="{W4}" roles="manager-gui"/>\n'),
    ("res/values/strings.xml", f'<resources><string name="facebook_client_secret">{H32}</string></resources>\n'),
    ("Info.plist", f"<dict>\n<key>ClientSecret</key>\n<string>{K32}</string>\n</dict>\n"),
    ("config.toml", f'[database]\npassword = "{W4}"\n'),
    ("settings.toml", f'openai_api_key = "sk-proj-{letters("st", 48)}"\n'),
    ("my.cnf", f"[client]\nuser=shop\npassword={W4}\n"),
    ("setup.ini", f"[smtp]\npass: {W4}\n"),
    ("odbc.ini", f"[shop]\nDriver=x\nUID=shop\nPWD={W4}\n"),
    ("accounts.csv", f"service,username,password\nnaver,shopadmin,{W2}\n"),
    ("계정.csv", f"서비스,아이디,비밀번호\n네이버,shop,{W2}\n"),
    ("accounts.tsv", f"id\tpw\nshop\t{W2}\n"),
    ("login.html", f'<input type="password" name="password" value="{W4}">\n'),
    ("index.html", f'<script>const API_SECRET = "{K32}";</script>\n'),
    ("admin.html", f"<!-- admin password: {W4} -->\n"),
    ("doc.html", f"<table><tr><th>ID</th><th>Password</th></tr><tr><td>admin</td><td>{W2}</td></tr></table>\n"),
    ("README.md", f"## 서버 접속\n- 아이디: root\n- 비밀번호: {W4}\n"),
    ("docs/server.md", f"관리자 계정: admin / {W2}\n"),
    ("docs/a.md", f"비번은 {W4} 입니다\n"),
    ("docs/accounts.md", f"| Service | ID | Password |\n|---|---|---|\n| Grafana | admin | {W2} |\n"),
    ("docs/계정.md", f"| 서비스 | 아이디 | 비밀번호 |\n|---|---|---|\n| 그라파나 | admin | {W2} |\n"),
    ("docs/v.md", f"| 항목 | 값 |\n|---|---|\n| 호스트 | 10.0.0.1 |\n| 암호 | {W2} |\n"),
    ("docs/b.md", f"**Password**: `{W2}`\n"),
    ("docs/b2.md", f"* **비밀번호:** {W2}\n"),
    ("docs/c.md", f"```bash\nexport AWS_SECRET_ACCESS_KEY={letters('aws', 40, B64)}\n```\n"),
    ("docs/d.md", f"DB: `postgresql://shop:{W4}@db.shop.co.kr:5432/shop`\n"),
    ("docs/e.md", f"The admin password is {W2}, please change it later.\n"),
    ("docs/f.md", f"Login with `admin` / `{W2}`.\n"),
    ("docs/g.md", f"카카오 REST API 키: {H32}\n"),
    ("docs/h.md", f"네이버 클라이언트 시크릿: {letters('ns', 10)}\n"),
    ("docs/i.md", f"ID/PW: shopadmin/{W2}\n"),
    ("docs/j.md", f"사무실 와이파이 비번 : {W5}\n"),
    ("notes.txt", f"ftp host 10.0.0.9\nuser shop\npass {W4}\n"),
    ("docs/k.rst", f"Database password\n  ``{W2}``\n\n:password: {W4}\n"),
    ("docs/l.adoc", f"password:: {W4}\n"),
    ("a.ipynb", nb("import openai\n", f'openai.api_key = "{K40}"\n')),
    ("b.ipynb", nb(f"engine = create_engine('mysql+pymysql://shop:{W4}@10.0.0.3/shop')")),
    ("c.ipynb", nb(f"os.environ['DB_PASSWORD'] = '{W1}'\n")),
    (
        "d.ipynb",
        nb(
            "!env",
            out=[
                {
                    "output_type": "stream",
                    "name": "stdout",
                    "text": [f"AWS_SECRET_ACCESS_KEY={letters('awo', 40, B64)}\n"],
                }
            ],
        ),
    ),
    (
        "trace.har",
        json.dumps(
            {
                "log": {
                    "entries": [
                        {"request": {"headers": [{"name": "Authorization", "value": "Bearer " + letters("har", 60)}]}}
                    ]
                }
            }
        ),
    ),
    (
        "trace2.har",
        json.dumps(
            {"log": {"entries": [{"request": {"postData": {"text": '{"username":"shop","password":"' + W4 + '"}'}}}]}}
        ),
    ),
    (
        "shop.postman_collection.json",
        json.dumps(
            {
                "item": [
                    {
                        "request": {
                            "auth": {
                                "type": "bearer",
                                "bearer": [{"key": "token", "value": letters("pm", 48), "type": "string"}],
                            }
                        }
                    }
                ]
            },
            indent=1,
        ),
    ),
    (
        "b.postman_collection.json",
        json.dumps(
            {
                "auth": {
                    "type": "basic",
                    "basic": [
                        {"key": "password", "value": W1, "type": "string"},
                        {"key": "username", "value": "shop", "type": "string"},
                    ],
                }
            },
            indent=1,
        ),
    ),
    (
        "prod.postman_environment.json",
        json.dumps({"values": [{"key": "api_secret", "value": K32, "enabled": True}]}, indent=1),
    ),
    ("orders.http", f"GET https://api.shop.co.kr/orders\nAuthorization: Bearer {letters('ht', 44)}\n"),
    ("orders2.rest", f"GET https://api.shop.co.kr/orders\nX-Api-Key: {K32}\n"),
    ("http-client.private.env.json", json.dumps({"prod": {"token": K40}})),
    ("q.http", f"GET https://api.openweathermap.org/data/2.5/weather?q=Seoul&appid={H32}\n"),
    ("src/api.ts", f"const API_KEY = '{K32}';\n"),
    ("src/config.ts", f"export default {{ db: {{ user: 'shop', password: '{W4}' }} }};\n"),
    ("server.js", f"const secret = process.env.JWT_SECRET || '{W5}secret';\n"),
    ("server2.ts", f"jwtSecret: process.env.JWT_SECRET ?? '{letters('nn', 20)}',\n"),
    ("tok.js", f"const token = jwt.sign({{ id }}, '{letters('js', 22)}', {{ expiresIn: '1d' }});\n"),
    ("mail.js", f"auth: {{ user: 'noreply@shop.co.kr', pass: '{W4}' }}\n"),
    ("db.js", f"mysql.createConnection({{host:'10.0.0.2',user:'root',password:'{W4}',database:'shop'}})\n"),
    ("ax.js", f"axios.defaults.headers.common['Authorization'] = 'Bearer {letters('ax', 40)}';\n"),
    ("ax2.js", f"headers: {{ 'x-api-key': '{K32}' }}\n"),
    ("ax3.js", f"process.env['SECRET_TOKEN'] = '{K32}';\n"),
    ("fb.js", 'const sa = {"private_key": "' + pem("PRIVATE KEY").replace("\n", "\\n") + '"};\n'),
    ("tmpl.ts", f"const url = `mongodb+srv://shop:{W4}@cluster0.ab1cd.mongodb.net/shop`;\n"),
    ("Login.vue", f"data() {{ return {{ username: 'admin', password: '{W2}' }} }}\n"),
    ("settings.py", f"SECRET_KEY = 'django-insecure-{letters('dj', 50, LO + '!@#$%^&*(-_=+)')}'\n"),
    ("settings/prod.py", f"SECRET_KEY = '{letters('dj2', 50, LO + '!@#$%^&*(-_=+)')}'\n"),
    ("settings2.py", f"DATABASES = {{'default': {{'ENGINE': 'x', 'PASSWORD': '{W4}'}}}}\n"),
    ("conf.py", f"DB_PASSWORD = os.getenv('DB_PASSWORD', '{W4}')\n"),
    ("conf2.py", f'secret = os.environ.get("FLASK_SECRET", "{letters("fl", 24)}")\n'),
    ("app.py", f"app.secret_key = b'{letters('sk', 24)}'\n"),
    ("conn.py", f"conn = psycopg2.connect(host='db', user='shop', password='{W4}')\n"),
    ("mail.py", f"server.login('noreply@shop.co.kr', '{W4}')\n"),
    ("fn.py", f"def connect(host, user='root', password='{W4}'):\n    pass\n"),
    ("req.py", f"requests.get(url, auth=('shop', '{W4}'))\n"),
    ("ssh.py", f"ssh.connect('10.0.0.5', 22, 'root', '{W4}')\n"),
    ("model.py", f"class S(BaseSettings):\n    secret_key: str = '{K40}'\n"),
    ("model2.py", f"    db_password: str = Field(default='{W4}')\n"),
    ("h.py", f"headers = {{'Authorization': 'token {hexadecimal('gt', 40)}'}}\n"),
    ("cm.py", f"# db password: {W4}\n"),
    ("fe.py", f"cipher = Fernet(b'{base64.urlsafe_b64encode(letters('fe', 32).encode()).decode()}')\n"),
    ("a1.py", f"key = 'AKIA{base32('ak', 16)}'\n"),
    (
        "credentials.txt",
        f"[default]\naws_access_key_id = AKIA{base32('ak2', 16)}\naws_secret_access_key = {letters('as', 40, B64)}\n",
    ),
    ("s1.sh", f"export AWS_ACCESS_KEY_ID=ASIA{base32('as2', 16)}\n"),
    ("s3.js", f"new S3({{accessKeyId: k, secretAccessKey: '{letters('as3', 40, B64)}'}})\n"),
    ("rootkey_new.csv", f"Access key ID,Secret access key\nAKIA{base32('ak3', 16)},{letters('as4', 40, B64)}\n"),
    ("maps.js", f"const k='AIza{wide('gcp', 35)}';\n"),
    (
        "sa.json",
        json.dumps(
            {
                "type": "service_account",
                "project_id": "p",
                "private_key_id": hexadecimal("pk", 40),
                "private_key": pem("PRIVATE KEY"),
                "client_email": "a@p.iam.gserviceaccount.com",
            }
        ),
    ),
    (
        "o.json",
        json.dumps(
            {"web": {"client_id": "123-x.apps.googleusercontent.com", "client_secret": "GOCSPX-" + wide("go", 28)}}
        ),
    ),
    ("y.txt", f"access: ya29.{wide('ya', 120)}\n"),
    (
        "az.cfg",
        f"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={letters('az', 86, B64)}==;EndpointSuffix=core.windows.net\n",
    ),
    (
        "sas.txt",
        f"https://shop.blob.core.windows.net/c?sv=2022-11-02&ss=b&srt=sco&sp=rwdlac&se=2026-01-01T00:00:00Z&sig={letters('sas', 43)}%3D\n",
    ),
    (
        "azc.json",
        json.dumps(
            {
                "clientId": "0a1b2c3d-1111-2222-3333-444455556666",
                "clientSecret": letters("q", 3) + "8Q~" + wide("azs", 34),
            }
        ),
    ),
    (
        "sb.txt",
        f"Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={letters('sb', 43, B64)}=\n",
    ),
    ("g1.sh", f"git clone https://ghp_{letters('gh', 36)}@github.com/shop/api.git\n"),
    ("g2.txt", f"token github_pat_{letters('gf', 22)}_{letters('gf2', 59)}\n"),
    ("g3.txt", f"ghs_{letters('ghs', 36)}\n"),
    ("g4.txt", f"glpat-{wide('glp', 20)}\n"),
    (
        "sl.py",
        f"client = WebClient('xoxb-{letters('s1', 12, DIGITS)}-{letters('s2', 13, DIGITS)}-{letters('s3', 24)}')\n",
    ),
    (
        "sl2.yml",
        f"url: https://hooks.slack.com/services/T{letters('t', 8, UP)}/B{letters('b', 10, UP)}/{letters('sh', 24)}\n",
    ),
    ("sl3.txt", f"xapp-1-A{letters('xa', 10, UP)}-{letters('xb', 13, DIGITS)}-{hexadecimal('xc', 64)}\n"),
    ("st.rb", f"Stripe.api_key = 'sk_live_{letters('str', 99)}'\n"),
    ("st2.rb", f"k = 'rk_live_{letters('rk', 24)}'\n"),
    ("st3.ts", f"const endpointSecret = 'whsec_{letters('wh', 32)}';\n"),
    ("oa.py", f"x = 'sk-{letters('oa', 20)}T3BlbkFJ{letters('ob', 20)}'\n"),
    ("oa2.py", f"x = 'sk-svcacct-{wide('oa2', 74)}T3BlbkFJ{wide('ob2', 74)}'\n"),
    ("an.py", f"x = 'sk-ant-api03-{wide('an', 93)}AA'\n"),
    ("hf.py", f"login('hf_{letters('hf', 34, LATIN)}')\n"),
    ("rp.py", f"t='r8_{letters('r8', 37)}'\n"),
    ("gq.py", f"t='gsk_{letters('gq', 52)}'\n"),
    ("tw.py", f"client = Client('AC{hexadecimal('tw', 32)}', '{hexadecimal('tw2', 32)}')\n"),
    ("tw2.txt", f"TWILIO_API_SECRET={letters('twk', 32)}\n"),
    ("sg.js", f"sgMail.setApiKey('SG.{wide('sg', 22)}.{wide('sg2', 43)}')\n"),
    ("mg.py", f"k = 'key-{hexadecimal('mg', 32)}'\n"),
    ("mc.py", f"k = '{hexadecimal('mc', 32)}-us14'\n"),
    ("n1.txt", f"//registry.npmjs.org/:_authToken=npm_{letters('np', 36)}\n"),
    ("x/npmrc.txt", f"_auth={base64.b64encode(b'ci:' + W1.encode()).decode()}\n"),
    (".yarnrc.yml", f"npmAuthToken: {letters('yr', 36)}\n"),
    ("p1.txt", f"pypi-AgEIcHlwaS5vcmc{wide('py', 150)}\n"),
    ("tg.py", f"bot = TeleBot('{letters('tg', 10, '123456789')}:AA{wide('tg2', 33)}')\n"),
    ("dc.js", f"client.login('MT{letters('d1', 24)}.G{letters('d2', 5)}.{wide('d3', 38)}')\n"),
    ("dc2.yml", f"hook: https://discord.com/api/webhooks/{letters('dh', 19, '123456789')}/{wide('dh2', 68)}\n"),
    (
        "tm.yml",
        f"url: https://shop.webhook.office.com/webhookb2/0a1b2c3d-1111-2222-3333-444455556666@0a1b2c3d-1111-2222-3333-444455556666/IncomingWebhook/{hexadecimal('tm', 32)}/0a1b2c3d-1111-2222-3333-444455556666\n",
    ),
    ("kk.yml", f"kakao:\n  admin-key: {H32}\n  client-secret: {letters('kc', 32)}\n"),
    ("nv.yml", f"naver:\n  client-id: {letters('ni', 20)}\n  client-secret: {letters('ncs', 10)}\n"),
    ("ts.js", f"const secretKey = 'live_sk_{letters('ts', 36)}';\n"),
    ("ip.yml", f"imp_secret: {hexadecimal('ip', 80)}\n"),
    ("dg.py", f"serviceKey = '{letters('dg', 86, B64)}=='\n"),
    ("su.ts", f"const s = createClient(url, '{jwt(role='service_role')}')\n"),
    ("su2.ts", f"const s = 'sb_secret_{wide('sb', 31)}'\n"),
    ("su3.sh", f"SUPABASE_ACCESS_TOKEN=sbp_{hexadecimal('sbp', 40)}\n"),
    ("vc.sh", f"vercel --token {letters('vc', 24)} --prod\n"),
    ("cf.sh", f"export CF_API_TOKEN={wide('cf', 40)}\n"),
    ("cf2.http", f"GET https://api.cloudflare.com/client/v4\nX-Auth-Key: {hexadecimal('cf2', 37)}\n"),
    ("do.tf", f'token = "dop_v1_{hexadecimal("do", 64)}"\n'),
    ("db.cfg", f"token = dapi{hexadecimal('dbx', 32)}\n"),
    ("dd.yaml", f"api_key: {hexadecimal('dd', 32)}\n"),
    ("dd.sh", f'curl -H "DD-API-KEY: {hexadecimal("ddh", 32)}" https://api.datadoghq.com/\n'),
    ("sn.txt", f"sntrys_eyJ{letters('sn', 120)}_{letters('sn2', 43)}\n"),
    ("sn.py", f"sentry_sdk.init('https://{hexadecimal('s', 32)}:{hexadecimal('s4', 32)}@sentry.shop.co.kr/4')\n"),
    ("fcm.js", f"const k='AAAA{letters('fc', 7)}:APA91b{wide('fc2', 134)}'\n"),
    ("ln.ts", f"'lin_api_{letters('ln', 40)}'\n"),
    ("nt.py", f"t='ntn_{letters('nt', 46)}'\n"),
    ("at.py", f"t='pat{letters('at', 14)}.{hexadecimal('at2', 64)}'\n"),
    ("shf.rb", f"t='shpat_{hexadecimal('shf', 32)}'\n"),
    ("vt.sh", f"export VAULT_TOKEN=hvs.{wide('vt', 90)}\n"),
    ("nr.yml", f"license_key: '{hexadecimal('nr', 36)}NRAL'\n"),
    ("gf.sh", f"T=glsa_{letters('gfs', 32)}_{hexadecimal('gf8', 8)}\n"),
    ("pu.txt", f"pul-{hexadecimal('pu', 40)}\n"),
    ("hk.sh", f"HEROKU_API_KEY=HRKU-AA{wide('hk', 58)}\n"),
    ("sqr.txt", f"EAAA{wide('sqr', 60)} is the square access token\n"),
    ("fl.txt", f"FLY_API_TOKEN='FlyV1 fm2_{letters('fly', 300, B64)}'\n"),
    ("age.txt", f"AGE-SECRET-KEY-1{letters('age', 58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}\n"),
    ("a.txt", pem()),
    ("b.txt", pem("OPENSSH PRIVATE KEY")),
    ("prod.cfg", 'PRIVATE_KEY="' + pem("PRIVATE KEY").replace("\n", "\\n") + '"\n'),
    ("c.yml", "deploy_key: " + base64.b64encode(pem("RSA PRIVATE KEY").encode()).decode() + "\n"),
    (
        "putty.txt",
        "PuTTY-User"
        "-Key-File-3: ssh-rsa\nEncryption: none\nComment: x\nPublic-Lines: 1\n"
        + letters("pp", 64, B64)
        + "\nPrivate-Lines: 2\n"
        + letters("pp1", 64, B64)
        + "\n"
        + letters("pp2", 64, B64)
        + "\nPrivate-MAC: "
        + H64
        + "\n",
    ),
    ("key.go", "const key = `" + pem("EC PRIVATE KEY", 4) + "`\n"),
    (
        "pgp.txt",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n"
        + "\n".join(letters(f"pg{i}", 64, B64) for i in range(8))
        + "\n-----END PGP PRIVATE KEY BLOCK-----\n",
    ),
    ("r.yml", f"REDIS_URL: redis://:{W4}@cache:6379/0\n"),
    ("mq.yml", f"broker: amqp://shop:{W4}@mq.internal:5672//\n"),
    ("ftp.sh", f"lftp -c 'open ftp://shop:{W4}@ftp.shop.co.kr'\n"),
    ("git.txt", f"origin https://shop:{letters('gr', 40)}@gitlab.shop.co.kr/a/b.git (fetch)\n"),
    ("pip.conf", f"[global]\nextra-index-url = https://ci:{W4}@pypi.shop.co.kr/simple\n"),
    ("jd.properties", f"url=jdbc:postgresql://db/shop?user=shop&password={W4}\n"),
    ("jd2.xml", f"jdbc:oracle:thin:shop/{W4}@//db.shop.co.kr:1521/ORCL\n"),
    ("sa.py", f"U='postgresql+asyncpg://shop:p%40ss{W5}@db/shop'\n"),
    ("wg0.conf", f"[Interface]\nPrivateKey = {letters('wg', 42, B64)}A=\nAddress = 10.0.0.1/24\n"),
    ("50-wifi.yaml", f'access-points:\n  "Office":\n    password: "{W5}"\n'),
    ("wpa_supplicant.conf", f'network={{\n ssid="Office"\n psk="{W5}"\n}}\n'),
    ("sasl_passwd.txt", f"[smtp.gmail.com]:587 shop@gmail.com:{W4}\n"),
    ("crontab.txt", f"0 3 * * * mysqldump -u root -p'{W4}' shop | gzip > /b.gz\n"),
    (".github/workflows/d.yml", f"env:\n  DEPLOY_PASSWORD: {W2}\n"),
    (".github/workflows/e.yml", f"    with:\n      host: 1.2.3.4\n      username: root\n      password: {W2}\n"),
    (
        ".circleci/config.yml",
        f"- run: heroku auth:token && echo {letters('cc', 36)}\n  environment:\n    AWS_SECRET_ACCESS_KEY: {letters('cc', 40, B64)}\n",
    ),
    (".vscode/sftp.json", json.dumps({"host": "1.2.3.4", "username": "root", "password": W2}, indent=4)),
    (
        ".vscode/settings.json",
        json.dumps({"sqltools.connections": [{"server": "db", "username": "shop", "password": W2}]}, indent=4),
    ),
    (
        "sitemanager.xml",
        f'<Server><Host>h</Host><User>shop</User><Pass encoding="base64">{base64.b64encode(W1.encode()).decode()}</Pass></Server>\n',
    ),
    ("app.log", f"2024-01-01 INFO login ok user=shop password={W4} ip=1.2.3.4\n"),
    ("app2.log", f"> Authorization: Bearer {jwt(sub='1')}\n"),
    ("q.graphql", f'mutation {{ login(email: "a@shop.co.kr", password: "{W2}") {{ token }} }}\n'),
    ("conf.json5", f"{{ dbPassword: '{W4}', }}\n"),
    ("x.jsonc", f'{{ // c\n "adminPassword": "{W2}" }}\n'),
    (
        "task-definition.json",
        json.dumps({"containerDefinitions": [{"environment": [{"name": "DB_PASSWORD", "value": W4}]}]}, indent=2),
    ),
    ("stack.yaml", f"Parameters:\n  DBPassword:\n    Type: String\n    Default: {W4}\n"),
    ("stack2.yaml", f"Properties:\n  MasterUsername: shop\n  MasterUserPassword: {W4}\n"),
    ("main.bicep", f"param adminPassword string = '{W1}'\n"),
    ("serverless.yml", f"provider:\n  environment:\n    JWT_SECRET: {letters('sv', 32)}\n"),
    ("ecosystem.config.js", f"module.exports={{apps:[{{env:{{DB_PASS:'{W4}'}}}}]}}\n"),
    ("app.supervisor.conf", f'environment=DB_PASSWORD="{W4}",PORT="80"\n'),
    ("httpd.conf", f"SetEnv DB_PASSWORD {W4}\n"),
    ("php.conf", f"fastcgi_param DB_PASSWORD {W4};\n"),
    ("Makefile", f"DB_PASSWORD ?= {W4}\n"),
    ("CMakeLists.txt", f'set(API_SECRET "{K32}")\n'),
    ("conf.nix", f'services.shop.password = "{W4}";\n'),
    ("tri.py", f'TOKEN = """{K40}"""\n'),
    ("ml.yml", f"secret: >-\n  {K40}\n"),
    ("fl.yml", f"db: {{user: shop, password: {W4}}}\n"),
    ("an.yml", f"password: &pw {W4}\n"),
    ("tg.yml", f"password: !!str {W4}\n"),
    ("qk.yml", f"'db-password': '{W4}'\n"),
    ("cc.js", f"const password = '{W4}' + '';\n"),
    ("ef.rb", f"ENV.fetch('SECRET_KEY_BASE', '{hexadecimal('ef', 64)}')\n"),
    ("ge.kt", f'val secret = System.getenv("JWT_SECRET") ?: "{letters("ge", 24)}"\n'),
    ("Go.java", f'String pw = System.getenv().getOrDefault("DB_PASSWORD", "{W4}");\n'),
    ("Ge.cs", f'var key = Environment.GetEnvironmentVariable("API_KEY") ?? "{K32}";\n'),
    ("ge.go", f'secret := getEnv("JWT_SECRET", "{letters("gg", 24)}")\n'),
    ("wp.sh", f"wp user create admin a@shop.co.kr --user_pass={W4}\n"),
    ("rs.sh", f"RSYNC_PASSWORD={W4} rsync -a x::y z\n"),
    ("my.sh", f"mysql -h db -u root --password='{W4}' shop\n"),
    ("ps.sh", f"psql 'postgres://shop:{W4}@db/shop'\n"),
    ("sm.sh", f"mount -t cifs //nas/x /mnt -o username=shop,password={W4}\n"),
    ("kc.sh", f"kubectl create secret generic db --from-literal=password={W4}\n"),
    ("ghs.sh", f"gh secret set DB_PASSWORD --body '{W4}'\n"),
    ("hs.sh", f"helm install x y --set auth.password={W4}\n"),
    ("ssm.sh", f"aws ssm put-parameter --name /shop/db/password --type SecureString --value '{W4}'\n"),
    ("smg.sh", f'aws secretsmanager create-secret --name db --secret-string \'{{"password":"{W4}"}}\'\n'),
    ("fs.sh", f"fly secrets set SECRET_KEY_BASE={hexadecimal('fs', 64)}\n"),
    ("dr.sh", f"docker run -e MYSQL_ROOT_PASSWORD={W4} -d mysql:8\n"),
    ("ex.exp", f'spawn ssh root@h\nexpect "password:"\nsend "{W4}\\r"\n'),
    ("jj.sh", f"java -Djavax.net.ssl.keyStorePassword={W4} -jar a.jar\n"),
    ("인수인계.txt", f"DB 암호는 {W4}\nroot 패스워드 = {W5}\n"),
    ("문서.md", f"관리자 로그인 (ID: admin, PW: {W2})\n"),
    ("api.md", f"공공데이터 인증키 : {letters('kk', 86, B64)}==\n"),
    ("k.js", f"// 테스트 서버 비밀번호: {W4}\n"),
    ("ja.md", f"パスワード: {W4}\n"),
    ("zh.md", f"密码:{W4}\n"),
    ("de.md", f"Passwort: {W4}\n"),
]
