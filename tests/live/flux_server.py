"""The server that transcribes numbered audio, as Flux does: in turns, over /v2/listen."""

import asyncio
import json
from array import array
from typing import Any

from websockets.asyncio.server import ServerConnection

from tests.live.server import RATE, REQUEST_ID, SLOT, Ear, Fault, NumberedServer, Seen, rounded

UPDATE = 0.25  # seconds of audio between two messages


class Turns:
    """One connection: turns samples into `TurnInfo` messages."""

    def __init__(self, server: "FluxServer") -> None:
        self.server = server
        self.ear = Ear(0, 1, server.rng, server.turns)
        self.index = self.sequence = 0
        self.next_update = UPDATE
        self.end_at = server.rng.uniform(*server.turns)  # seconds
        self.speaking = self.eager = False

    def message(self, kind: str, **more: object) -> dict[str, Any]:
        self.sequence += 1
        return {"type": kind, "request_id": REQUEST_ID, "sequence_id": self.sequence - 1, **more}

    def info(self, event: str, until: int, **more: object) -> dict[str, Any]:
        words = self.ear.words(until)
        plain = [{"word": word["punctuated_word"], "confidence": 0.9} for word in words]
        times = [{"start": word["start"], "end": word["end"]} for word in words]
        return self.message(
            "TurnInfo",
            event=event,
            turn_index=self.index,
            audio_window_start=rounded(self.ear.cut / RATE),
            audio_window_end=rounded(until / RATE),
            transcript=" ".join(word["word"] for word in plain),
            words=[{**word, **time} for word, time in zip(plain, times, strict=True)]
            if self.server.timed
            else plain,
            end_of_turn_confidence=0.8 if event in ("EndOfTurn", "EagerEndOfTurn") else 0.1,
            **({"languages": self.server.languages} if self.server.languages else {}),
            **more,
        )

    def end(self, until: int, trigger: str) -> dict[str, Any]:
        message = self.info("EndOfTurn", until, trigger=trigger)
        self.ear.final(until)
        self.index += 1
        self.end_at = self.ear.heard / RATE + self.server.rng.uniform(*self.server.turns)
        self.speaking = self.eager = False
        return message

    def say(self) -> list[dict[str, Any]]:
        """What is due."""
        ear, messages = self.ear, []
        if self.speaking and ear.heard / RATE >= self.end_at and ear.heard - ear.cut > 2 * SLOT * RATE:
            latest = ear.heard - int(SLOT * RATE) - 1
            until = self.server.rng.randint(max(ear.cut + 1, latest - 150), latest)
            if not self.server.timed:  # without times nobody could tell the rest of a word from another word
                until = until // int(SLOT * RATE) * int(SLOT * RATE)
            if until > ear.cut:
                return [self.end(until, "model")]
        while ear.heard / RATE >= self.next_update:
            self.next_update += UPDATE
            said = bool(ear.words(ear.heard))
            if said and not self.speaking:
                self.speaking = True
                messages.append(self.info("StartOfTurn", ear.heard))
            elif self.server.eager and said:
                self.eager = not self.eager
                messages.append(self.info("EagerEndOfTurn" if self.eager else "TurnResumed", ear.heard))
            else:
                messages.append(self.info("Update", ear.heard))
        return messages

    def force(self) -> dict[str, Any]:
        ear = self.ear
        if not ear.words(ear.heard):
            code = "FORCE_END_TURN_NO_ACTIVE_TURN"
            return self.message("Warning", code=code, description="There is no active turn.")
        return self.end(ear.heard, "manual")


class FluxServer(NumberedServer):
    """`timed`: words have times. `force`: ForceEndTurn is known. `eager`: turns end eagerly, and are resumed."""

    def __init__(
        self,
        *plan: Fault,
        timed: bool = True,
        force: bool = True,
        eager: bool = False,
        languages: tuple[str, ...] = (),
        turns: tuple[float, float] = (0.6, 2.5),
        first: tuple[dict[str, Any], ...] = (),
        seed: int = 0,
        step: int = 1,
    ) -> None:
        self.step = step
        self.timed, self.force, self.eager = timed, force, eager
        self.languages, self.turns = list(languages), turns
        super().__init__(*plan, seed=seed, first=first)

    @property
    def rng(self) -> Any:
        return self._rng

    @property
    def url(self) -> str:
        return (
            f"ws://localhost:{self.port}/v2/listen?model=flux-general-en&encoding=linear16&sample_rate={RATE}"
        )

    async def _listen(self, connection: ServerConnection, seen: Seen, fault: Fault | None) -> None:
        turns = Turns(self)
        loop = asyncio.get_running_loop()
        await connection.send(json.dumps(turns.message("Connected")))
        while True:
            message = await connection.recv()
            if isinstance(message, bytes):
                self.empty_frames += not message
                seen.frames.append((loop.time(), len(message)))
                seen.audio += message
                turns.ear.hear(array("h", message[: len(message) & ~1])[:: self.step])
                if fault and turns.ear.heard >= fault.after * RATE:
                    await self._fail(connection, fault)
                    return
                for strange in self.first if len(seen.frames) == 1 else ():
                    await connection.send(json.dumps(strange))
                answers = turns.say()
            else:
                told = json.loads(message)
                seen.texts.append(told)
                self._note()
                if told["type"] == "CloseStream":
                    await self._end(connection, turns)
                    return
                if told["type"] != "ForceEndTurn" or not self.force:
                    await self._refuse(connection, turns, told["type"])
                    return
                answers = [turns.force()]
            for answer in answers:
                await connection.send(json.dumps(answer))
            self._note()

    async def _refuse(self, connection: ServerConnection, turns: Turns, name: str) -> None:
        description = f"unknown variant `{name}`"
        error = turns.message("Error", code="UNPARSABLE_CLIENT_MESSAGE", description=description)
        await connection.send(json.dumps(error))
        await self._fail(connection, Fault("nocode"))

    async def _end(self, connection: ServerConnection, turns: Turns) -> None:
        """The last Update, and a close frame without a code: the turn stays open."""
        await connection.send(json.dumps(turns.info("Update", turns.ear.heard)))
        connection.transport.write(b"\x88\x00")
        await connection.wait_closed()
