#!/bin/sh
# Makes the samples beside this script, with the spoken text next to each. Needs Debian's flite and sox.
#
#   preamble-rms.flac   the Preamble of the US Constitution, one voice, 16 kHz mono
#   conversation.flac   two people, one per channel: rms on the left, slt on the right
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

say() { # say VOICE STRETCH TEXT OUT.wav
    flite -voice "$1" --setf duration_stretch="$2" -t "$3" -o "$4"
}

preamble="We the People of the United States, in Order to form a more perfect Union, establish Justice, \
insure domestic Tranquility, provide for the common defense, promote the general Welfare, and secure the \
Blessings of Liberty to ourselves and our Posterity, do ordain and establish this Constitution for the \
United States of America."
say rms 1.2 "$preamble" "$work/preamble.wav"
sox -R "$work/preamble.wav" -C 8 preamble-rms.flac
echo "$preamble" >preamble-rms.txt

: >conversation.txt
# Each turn is spoken on one channel and is silence on the other.
turn() { # turn NUMBER CHANNEL VOICE TEXT
    say "$3" 1.1 "$4" "$work/said.wav"
    sox -R "$work/said.wav" "$work/spoken.wav" pad 0.3 0.7
    sox -R "$work/spoken.wav" "$work/silent.wav" vol 0
    if [ "$2" = 0 ]; then
        sox -R -M "$work/spoken.wav" "$work/silent.wav" "$work/turn-$1.wav"
    else
        sox -R -M "$work/silent.wav" "$work/spoken.wav" "$work/turn-$1.wav"
    fi
    echo "$2: $4" >>conversation.txt
}
turn 1 0 rms "Good morning, how can I help you today?"
turn 2 1 slt "I have been waiting for three days."
turn 3 0 rms "What is the number of your order?"
turn 4 1 slt "It should have come last week."
turn 5 0 rms "It will be there before the end of the week."
turn 6 1 slt "Thank you very much for your help."
sox -R "$work"/turn-?.wav -C 8 conversation.flac
