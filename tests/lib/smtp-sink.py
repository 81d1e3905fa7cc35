# SPDX-License-Identifier: ISC
"""A relay that takes e-mails, or does not, as it is told.

    smtp-sink.py [--port PORT] [--tls starttls|smtps|none] [--cert FILE --key FILE] [--auth USER:PASS]
                 [--say [N*]COMMAND[:ADDRESS]=ANSWER]... [--hang COMMAND] [--drop COMMAND] [--utf8]

COMMAND is one of EHLO, MAIL, RCPT, DATA; MESSAGE is the end of the message. With N the first N of
them are answered so, and later ones as by a relay that is content; with ADDRESS those about it.
Written are JSON lines: {"port"}, {"connection"}, {"login"}, {"rcpt"} for each that came, and for
each message that was taken {"mail": connection, "from", "to", "raw", "tls", "user", "utf8"}; with
"refused" in place of "mail" for one that was not. With --utf8 it offers SMTPUTF8; "utf8" tells
whether that was asked for.
"""
import argparse
import asyncio
import base64
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def write(**line):
    print(json.dumps(line), flush=True)


def is_tls(server):
    return server.transport.get_extra_info("ssl_object") is not None


class Sink:
    def __init__(self, options):
        self.options = options
        self.connections = 0
        self.left = {}
        self.answers = []
        for text in options.say:
            where, answer = text.split("=", 1)
            count, _, where = where.rpartition("*")
            command, _, address = where.partition(":")
            self.answers.append([int(count) if count else -1, command, address, answer])

    async def answer(self, server, command, address=""):
        if self.options.hang == command:
            await asyncio.sleep(3600)
        if self.options.drop == command:
            server.transport.abort()
            await asyncio.sleep(3600)
        for rule in self.answers:
            if rule[0] != 0 and rule[1] == command and rule[2] in ("", address):
                rule[0] -= 1
                return rule[3]
        return None

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        said = await self.answer(server, "EHLO")
        return [said] if said else responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        said = await self.answer(server, "MAIL", address)
        if not said:
            envelope.mail_from = address
        server.utf8 = "SMTPUTF8" in options
        return said or "250 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        write(rcpt=address)
        said = await self.answer(server, "RCPT", address)
        if not said:
            envelope.rcpt_tos.append(address)
        return said or "250 ok"

    async def handle_DATA(self, server, session, envelope):
        said = await self.answer(server, "MESSAGE")
        write(to=envelope.rcpt_tos, tls=is_tls(server), utf8=server.utf8,
              user=session.auth_data and session.auth_data.login.decode(),
              raw=base64.b64encode(envelope.original_content).decode(),
              **{"from": envelope.mail_from, "refused" if said else "mail": session.number})
        return said or "250 2.0.0 taken as 4711"

    def authenticate(self, server, session, envelope, mechanism, data):
        good = f"{data.login.decode()}:{data.password.decode()}" == self.options.auth
        write(login=good, tls=is_tls(server))
        return AuthResult(success=good, handled=False, auth_data=data)


class Server(SMTP):
    def connection_made(self, transport):
        known = self.session is not None
        super().connection_made(transport)
        sink = self.event_handler
        if not known:
            sink.connections += 1
            self.number = sink.connections
            write(connection=self.number)
        self.session.number = self.number

    async def smtp_DATA(self, arg):
        said = await self.event_handler.answer(self, "DATA")
        if said:
            await self.push(said)
        else:
            await super().smtp_DATA(arg)


async def serve(options):
    sink = Sink(options)
    context = None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    starttls = options.tls == "starttls"

    def make():
        return Server(sink, hostname="sink.example", decode_data=False,
                      enable_SMTPUTF8=options.utf8,
                      tls_context=context if starttls else None, require_starttls=False,
                      authenticator=sink.authenticate, auth_require_tls=False,
                      auth_required=bool(options.auth))

    server = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", options.port, ssl=None if starttls else context)
    write(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--auth", default="")
    parser.add_argument("--say", action="append", default=[])
    parser.add_argument("--hang", default="")
    parser.add_argument("--drop", default="")
    parser.add_argument("--utf8", action="store_true")
    asyncio.run(serve(parser.parse_args()))


sys.exit(main())
