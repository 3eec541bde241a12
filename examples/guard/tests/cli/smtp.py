# SPDX-License-Identifier: MIT OR Apache-2.0
"""A real SMTP server for tests: writes each mail to a file, and its port to standard output.

usage: smtp.py FOLDER none|starttls|tls PORT [--cert FILE --key FILE] [--login USER PASSWORD] [--refuse "550 no"]
"""
import argparse
import asyncio
import json
import pathlib
import ssl

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("mode")
parser.add_argument("port", type=int)
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--login", nargs=2)
parser.add_argument("--refuse")
args = parser.parse_args()


class Handler:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        if args.refuse:
            return args.refuse
        Handler.count += 1
        name = args.folder / f"{args.port}-{Handler.count}-{id(self)}"
        about = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None or args.mode == "tls", "login": session.authenticated}
        name.with_suffix(".eml").write_bytes(envelope.original_content)
        # Whole when it has its name.
        name.with_suffix(".part").write_text(json.dumps(about))
        name.with_suffix(".part").rename(name.with_suffix(".json"))
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = args.login and isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == args.login
    return AuthResult(success=bool(good), handled=bool(good))


async def main():
    context = None
    if args.mode != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.cert, args.key)
    loop = asyncio.get_running_loop()
    handler = Handler()

    def session():
        return SMTP(
            handler,
            loop=loop,
            tls_context=context if args.mode == "starttls" else None,
            require_starttls=args.mode == "starttls",
            auth_required=args.login is not None,
            auth_require_tls=args.mode == "starttls",
            authenticator=authenticate,
        )

    server = await loop.create_server(session, "127.0.0.1", args.port, ssl=context if args.mode == "tls" else None)
    args.port = server.sockets[0].getsockname()[1]
    print(args.port, flush=True)
    await server.serve_forever()


asyncio.run(main())
