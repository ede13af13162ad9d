# bash completion for dg dgcli. Made by: dg completions bash

# What follows a flag ($1: command, $2: flag): kind is words, asked, files, paths, folders or text, or
# empty if nothing follows.
_dg_value() {
    words="" kind=""
    case $1:$2 in
        file:--version | url:--version | live:--version | mic:--version | *:--model-version)
            kind=words
            words="latest"
            ;;
        file:-m | url:-m | file:--model | url:--model)
            kind=words
            words="nova-3 nova-3-general nova-3-medical nova-3-pharma nova-2 nova-2-general nova-2-meeting
                nova-2-phonecall nova-2-finance nova-2-conversationalai nova-2-voicemail nova-2-video
                nova-2-medical nova-2-drivethru nova-2-automotive nova-2-atc nova nova-general nova-phonecall
                nova-medical enhanced enhanced-general enhanced-meeting enhanced-phonecall enhanced-finance
                base base-general base-meeting base-phonecall base-finance base-conversationalai
                base-voicemail base-video whisper whisper-tiny whisper-base whisper-small whisper-medium
                whisper-large"
            ;;
        live:-m | mic:-m | live:--model | mic:--model)
            kind=words
            words="nova-3 nova-3-general nova-3-medical nova-3-pharma nova-2 nova-2-general nova-2-meeting
                nova-2-phonecall nova-2-finance nova-2-conversationalai nova-2-voicemail nova-2-video
                nova-2-medical nova-2-drivethru nova-2-automotive nova-2-atc nova nova-general nova-phonecall
                nova-medical enhanced enhanced-general enhanced-meeting enhanced-phonecall enhanced-finance
                base base-general base-meeting base-phonecall base-finance base-conversationalai
                base-voicemail base-video flux-general-en flux-general-multi"
            ;;
        file:-l | url:-l | live:-l | mic:-l | file:--language | url:--language | live:--language | \
          mic:--language)
            kind=words
            words="multi bg ca cs da da-DK de de-CH el en en-AU en-GB en-IN en-NZ en-US es es-419 es-LATAM et
                fi fr fr-CA hi hi-Latn hu id it ja ko ko-KR lt lv ms nl nl-BE no pl pt pt-BR pt-PT ro ru sk sv
                sv-SE ta taq th th-TH tr uk vi zh zh-CN zh-HK zh-Hans zh-Hant zh-TW"
            ;;
        render:-l | align:-l | callbacks:-l | render:--language | align:--language | callbacks:--language | \
          *:--language-hint)
            kind=words
            words="bg ca cs da da-DK de de-CH el en en-AU en-GB en-IN en-NZ en-US es es-419 es-LATAM et fi fr
                fr-CA hi hi-Latn hu id it ja ko ko-KR lt lv ms nl nl-BE no pl pt pt-BR pt-PT ro ru sk sv sv-SE
                ta taq th th-TH tr uk vi zh zh-CN zh-HK zh-Hans zh-Hant zh-TW"
            ;;
        models:--language | *:--sample-rate | *:--alternatives | *:--channels | *:--keyterm | *:--keywords | \
          *:--search | *:--replace | *:--custom-topic | *:--custom-intent | *:--utt-split | *:--callback | \
          *:--tag | *:--extra | *:--param | *:--name-template | *:-j | *:--jobs | *:--max-rps | *:--shard | \
          *:--speaker | *:--title | *:--max-chars | *:--max-lines | *:--min-duration | *:--max-duration | \
          *:--max-cps | *:--min-gap | *:--fps | *:--segment-duration | *:--timestamp-map | *:--api-key | \
          *:--access-token | *:--base-url | *:--timeout | *:--retries | *:--audio-track | \
          *:--utterance-end-ms | *:--eot-threshold | *:--eager-eot-threshold | *:--eot-timeout-ms | \
          *:--max-delay | *:--overlay | *:--overlay-host | *:--speed | *:--duration | *:--stop-after-silence | \
          *:--max-reconnects | *:--block | *:--resample | *:--reopen | *:--stop-phrase | *:--host | *:--port | \
          *:--require-key | *:--allow-host | *:--allow-origin | *:--max-streams | *:--secret | *:--token | \
          *:--ttl | *:--start | *:--end | *:--project | *:--limit)
            kind=text
            ;;
        *:--detect-language-code)
            kind=words
            words="bg ca cs da de de-CH el en es et fi fr hi hu id it ja ko lt lv ms nl nl-BE no pl pt ro ru
                sk sv th tr uk vi zh"
            ;;
        *:--encoding)
            kind=words
            words="linear16 linear32 flac alaw mulaw amr-nb amr-wb opus ogg-opus speex g729"
            ;;
        *:--tier)
            kind=words
            words="nova enhanced base"
            ;;
        file:--diarize-model | url:--diarize-model)
            kind=words
            words="latest v1 v2"
            ;;
        live:--diarize-model | mic:--diarize-model)
            kind=words
            words="latest v1"
            ;;
        *:--diarize-version)
            kind=words
            words="latest 2021-07-14.0"
            ;;
        *:--keyword-boost)
            kind=words
            words="legacy"
            ;;
        *:--custom-topic-mode | *:--custom-intent-mode)
            kind=words
            words="extended strict"
            ;;
        *:--redact)
            kind=words
            words="pci pii phi numbers aggressive_numbers ssn true account_number age bank_account cardinal
                credit_card credit_card_expiration cvv date date_interval dob driver_license email_address
                event filename gender_sexuality healthcare_number ip_address location location_address
                location_city location_coordinate location_country location_state location_zip money name
                name_given name_family name_medical_professional numerical_pii occupation ordinal origin
                passport_number password percent phone_number physical_attribute time url username vehicle_id
                condition drug injury blood_type medical_process statistics language marital_status
                organization political_affiliation religion routing_number zodiac_sign"
            ;;
        file:--callback-method | url:--callback-method)
            kind=words
            words="POST PUT"
            ;;
        live:--callback-method | mic:--callback-method)
            kind=words
            words="POST GET PUT DELETE"
            ;;
        file:-f | url:-f | render:-f | align:-f | last:-f | callbacks:-f | file:--format | url:--format | \
          render:--format | align:--format | last:--format | callbacks:--format)
            kind=words
            words="text json srt vtt ass ssa ttml ebuttd scc html md csv tsv words.jsonl"
            ;;
        live:-f | mic:-f | live:--format | mic:--format)
            kind=words
            words="text json srt vtt ass ssa ttml ebuttd scc html md csv tsv words.jsonl jsonl"
            ;;
        *:-o | *:--output | *:--files-from | *:--files0-from | *:--report | *:--audio | *:--ca-cert | \
          *:--save-audio | *:--last-lines | *:--control | *:--response)
            kind=paths
            ;;
        *:--output-dir | *:--local-model | *:--record)
            kind=folders
            ;;
        *:--skip-existing)
            kind=words
            words="same any"
            ;;
        *:--preset)
            kind=words
            words="netflix bbc youtube social"
            ;;
        *:--speaker-style)
            kind=words
            words="label dash voice colour"
            ;;
        *:--with)
            kind=words
            words="summary topics intents entities sentiment search language all"
            ;;
        *:--profile)
            kind=asked
            words="config profiles"
            ;;
        *:--show-request)
            kind=words
            words="curl python httpie"
            ;;
        *:--endpointing)
            kind=words
            words="10 100 300 500 false"
            ;;
        *:-d | *:--device)
            kind=asked
            words="devices --names"
            ;;
        *:--engine)
            kind=words
            words="whisper replay count"
            ;;
        *:--by)
            kind=words
            words="models endpoint method tags accessor deployment feature_set"
            ;;
    esac
}

# The flags of a command ($1), and what stands without one: kind is as above, or flags where nothing does.
_dg_command() {
    flags="" words="" kind=text
    case $1 in
        "")
            flags="-V --version -h --help"
            kind=words
            words="file url live mic devices render align last history models serve callbacks login logout
                whoami token usage balance requests doctor config completions"
            ;;
        file)
            flags="-m --model --version --model-version -l --language --language-hint --detect-language
                --no-detect-language --detect-language-code --encoding --sample-rate --smart-format
                --no-smart-format --punctuate --no-punctuate --paragraphs --no-paragraphs --numerals
                --no-numerals --measurements --no-measurements --dictation --no-dictation --filler-words
                --no-filler-words --profanity-filter --no-profanity-filter --diarize --no-diarize
                --diarize-model --multichannel --no-multichannel --channels --utterances --no-utterances
                --keyterm --keywords --search --replace --summarize --no-summarize --topics --no-topics
                --custom-topic --custom-topic-mode --intents --no-intents --custom-intent --custom-intent-mode
                --sentiment --no-sentiment --detect-entities --no-detect-entities --redact --mip-opt-out
                --no-mip-opt-out --utt-split --callback --callback-method --tag --extra --param -f --format -o
                --output -r --recursive --files-from --files0-from --output-dir --name-template -j --jobs
                --max-rps --skip-existing --overwrite --fail-fast --dry-run --report --shard --cache
                --any-file --check --speaker --audio --title --list-formats --preset --max-chars --max-lines
                --min-duration --max-duration --max-cps --min-gap --fps --speaker-style --isolates
                --segment-duration --timestamp-map --karaoke --smooth-speakers --no-smooth-speakers --with
                --api-key --access-token --base-url --profile --allow-http --ca-cert --local --local-model
                --offline --timeout --retries --history --no-history --whole-file --audio-track --show-request
                -q --quiet -v --verbose -h --help"
            kind=paths
            ;;
        url)
            flags="-m --model --version --model-version -l --language --language-hint --detect-language
                --no-detect-language --detect-language-code --encoding --sample-rate --smart-format
                --no-smart-format --punctuate --no-punctuate --paragraphs --no-paragraphs --numerals
                --no-numerals --measurements --no-measurements --dictation --no-dictation --filler-words
                --no-filler-words --profanity-filter --no-profanity-filter --diarize --no-diarize
                --diarize-model --multichannel --no-multichannel --channels --utterances --no-utterances
                --keyterm --keywords --search --replace --summarize --no-summarize --topics --no-topics
                --custom-topic --custom-topic-mode --intents --no-intents --custom-intent --custom-intent-mode
                --sentiment --no-sentiment --detect-entities --no-detect-entities --redact --mip-opt-out
                --no-mip-opt-out --utt-split --callback --callback-method --tag --extra --param -f --format -o
                --output -r --recursive --files-from --files0-from --output-dir --name-template -j --jobs
                --max-rps --skip-existing --overwrite --fail-fast --dry-run --report --shard --cache
                --any-file --check --speaker --audio --title --list-formats --preset --max-chars --max-lines
                --min-duration --max-duration --max-cps --min-gap --fps --speaker-style --isolates
                --segment-duration --timestamp-map --karaoke --smooth-speakers --no-smooth-speakers --with
                --api-key --access-token --base-url --profile --allow-http --ca-cert --local --local-model
                --offline --timeout --retries --history --no-history --show-request -q --quiet -v --verbose -h
                --help"
            kind=text
            ;;
        live)
            flags="-m --model --version --model-version -l --language --language-hint --encoding --sample-rate
                --smart-format --no-smart-format --punctuate --no-punctuate --numerals --no-numerals
                --dictation --no-dictation --filler-words --no-filler-words --profanity-filter
                --no-profanity-filter --no-delay --no-no-delay --diarize --no-diarize --diarize-model
                --multichannel --no-multichannel --channels --keyterm --keywords --search --replace
                --detect-entities --no-detect-entities --redact --mip-opt-out --no-mip-opt-out
                --interim-results --no-interim-results --endpointing --utterance-end-ms --vad-events
                --no-vad-events --eot-threshold --eager-eot-threshold --eot-timeout-ms --callback
                --callback-method --tag --extra --param -f --format -o --output --speaker --audio --title
                --list-formats --preset --max-chars --max-lines --min-duration --max-duration --max-cps
                --min-gap --fps --speaker-style --isolates --segment-duration --timestamp-map --karaoke
                --smooth-speakers --no-smooth-speakers -t --timestamps --interim --no-interim --max-delay
                --stats --save-audio --overlay --overlay-host --last-lines --speed --force-speed --duration
                --stop-after-silence --max-reconnects --no-reconnect --control --api-key --access-token
                --base-url --profile --allow-http --ca-cert --local --local-model --offline --history
                --no-history --show-request -q --quiet -v --verbose -h --help"
            kind=paths
            ;;
        mic)
            flags="-m --model --version --model-version -l --language --language-hint --encoding --sample-rate
                --smart-format --no-smart-format --punctuate --no-punctuate --numerals --no-numerals
                --dictation --no-dictation --filler-words --no-filler-words --profanity-filter
                --no-profanity-filter --no-delay --no-no-delay --diarize --no-diarize --diarize-model
                --multichannel --no-multichannel --channels --keyterm --keywords --search --replace
                --detect-entities --no-detect-entities --redact --mip-opt-out --no-mip-opt-out
                --interim-results --no-interim-results --endpointing --utterance-end-ms --vad-events
                --no-vad-events --eot-threshold --eager-eot-threshold --eot-timeout-ms --callback
                --callback-method --tag --extra --param -f --format -o --output --speaker --audio --title
                --list-formats --preset --max-chars --max-lines --min-duration --max-duration --max-cps
                --min-gap --fps --speaker-style --isolates --segment-duration --timestamp-map --karaoke
                --smooth-speakers --no-smooth-speakers -t --timestamps --interim --no-interim --max-delay
                --stats --save-audio --overlay --overlay-host --last-lines -d --device --list-devices --test
                --json --block --resample --reopen --stop-phrase --duration --stop-after-silence
                --max-reconnects --no-reconnect --control --api-key --access-token --base-url --profile
                --allow-http --ca-cert --local --local-model --offline --history --no-history -q --quiet -v
                --verbose -h --help"
            kind=text
            ;;
        devices)
            flags="--json -q --quiet -v --verbose -h --help"
            kind=flags
            ;;
        render)
            flags="--output-dir -l --language -f --format -o --output --speaker --audio --title --list-formats
                --preset --max-chars --max-lines --min-duration --max-duration --max-cps --min-gap --fps
                --speaker-style --isolates --segment-duration --timestamp-map --karaoke --smooth-speakers
                --no-smooth-speakers --with -q --quiet -v --verbose -h --help"
            kind=files
            words=".json .jsonl .csv .tsv"
            ;;
        align)
            flags="-l --language --force -f --format -o --output --speaker --audio --title --list-formats
                --preset --max-chars --max-lines --min-duration --max-duration --max-cps --min-gap --fps
                --speaker-style --isolates --segment-duration --timestamp-map --karaoke --smooth-speakers
                --no-smooth-speakers --with -q --quiet -v --verbose --local --local-model --offline -h --help"
            kind=files
            words=".json .jsonl .csv .tsv"
            ;;
        last)
            flags="--output-dir -f --format -o --output --speaker --audio --title --list-formats --preset
                --max-chars --max-lines --min-duration --max-duration --max-cps --min-gap --fps
                --speaker-style --isolates --segment-duration --timestamp-map --karaoke --smooth-speakers
                --no-smooth-speakers --with -q --quiet -v --verbose -h --help"
            kind=text
            ;;
        history)
            flags="--json -q --quiet -v --verbose -h --help"
            kind=words
            words="clear"
            ;;
        models)
            flags="--json --language --outdated --names --api-key --access-token --base-url --profile
                --allow-http --ca-cert -q --quiet -v --verbose -h --help"
            kind=words
            words="all local pull remove"
            ;;
        serve)
            flags="--host --port --engine --response --record --require-key --allow-private-urls --allow-host
                --allow-origin --max-streams --local-model --offline -q --quiet -v --verbose -h --help"
            kind=flags
            ;;
        callbacks)
            flags="--port --host --output-dir --secret --token -l --language -f --format -o --output --speaker
                --audio --title --list-formats --preset --max-chars --max-lines --min-duration --max-duration
                --max-cps --min-gap --fps --speaker-style --isolates --segment-duration --timestamp-map
                --karaoke --smooth-speakers --no-smooth-speakers -q --quiet -v --verbose -h --help"
            kind=flags
            ;;
        login)
            flags="--profile --base-url -q --quiet -v --verbose -h --help"
            kind=flags
            ;;
        logout)
            flags="--profile -q --quiet -v --verbose -h --help"
            kind=flags
            ;;
        whoami)
            flags="--json --api-key --access-token --base-url --profile --allow-http --ca-cert -q --quiet -v
                --verbose -h --help"
            kind=flags
            ;;
        token)
            flags="--ttl --json --api-key --access-token --base-url --profile --allow-http --ca-cert -q
                --quiet -v --verbose -h --help"
            kind=flags
            ;;
        usage)
            flags="--start --end --by --json --api-key --access-token --base-url --profile --allow-http
                --ca-cert --project -q --quiet -v --verbose -h --help"
            kind=flags
            ;;
        balance)
            flags="--json --api-key --access-token --base-url --profile --allow-http --ca-cert --project -q
                --quiet -v --verbose -h --help"
            kind=flags
            ;;
        requests)
            flags="--start --end --limit --failed --json --api-key --access-token --base-url --profile
                --allow-http --ca-cert --project -q --quiet -v --verbose -h --help"
            kind=text
            ;;
        doctor)
            flags="--send --no-send --json --api-key --access-token --base-url --profile --allow-http
                --ca-cert -q --quiet -v --verbose -h --help"
            kind=flags
            ;;
        config)
            flags="--profile --json -q --quiet -v --verbose -h --help"
            kind=words
            words="show get set unset edit path profiles"
            ;;
        completions)
            flags="-q --quiet -v --verbose -h --help"
            kind=words
            words="bash zsh fish powershell"
            ;;
    esac
}

_dg() {
    local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} text="" start=""
    local parts=() command="" flag="" only_arguments="" flags="" words="" kind="" word quote cut i
    COMPREPLY=()

    # COMP_WORDS is cut at COMP_WORDBREAKS too, so that --model=nova-3 is three; what has no space between is one.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
            line=${line#"${line%%[![:space:]]*}"}
            parts+=("")
        fi
        ((i == COMP_CWORD)) && word=$line # the part of it before the cursor
        parts[${#parts[@]} - 1]+=$word
        line=${line#"$word"}
    done

    # Where we are: in which command, behind which flag.
    for ((i = 1; i < ${#parts[@]} - 1; i++)); do
        word=${parts[i]}
        if [[ $flag ]]; then
            flag=""
        elif [[ ! $only_arguments && $word == -- ]]; then
            only_arguments=1
        elif [[ ! $only_arguments && $word == -?* ]]; then
            _dg_value "$command" "$word"
            flag=${kind:+$word}
        elif [[ ! $command ]]; then
            command=$word
        fi
    done
    text=${parts[${#parts[@]} - 1]}

    # What may stand here: `words`, behind `start`.
    if [[ $flag ]]; then
        _dg_value "$command" "$flag"
    elif [[ ! $only_arguments && $text == --*=* ]]; then
        start=${text%%=*}=
        _dg_value "$command" "${text%%=*}"
    elif [[ ! $only_arguments && $text == -[!-]?* ]]; then
        start=${text:0:2}
        _dg_value "$command" "$start"
    else
        _dg_command "$command"
        # Flags are offered where one begins, and where nothing else can stand.
        [[ ! $only_arguments && ($text == -* || $kind == flags) ]] && words=$flags kind=words
    fi
    text=${text#"$start"}
    quote=${text%%[!\"\']*}
    text=${text#[\"\']}

    # What readline replaces begins after the last character of COMP_WORDBREAKS.
    [[ $start == *= && $COMP_WORDBREAKS == *=* ]] && start=""
    case $kind in
        words)
            type compopt &>/dev/null && compopt -o nosort 2>/dev/null # from bash 4.4 on
            for word in $words; do
                [[ $word == "$text"* ]] && COMPREPLY+=("$start$word")
            done
            ;;
        asked)
            # Which values there are, the program alone knows: a name on each line, what it is behind a tab.
            type compopt &>/dev/null && compopt -o nosort 2>/dev/null
            [[ $quote ]] || text=${text//\\/}
            cut=""
            [[ $COMP_WORDBREAKS == *:* ]] && cut=${text%"${text##*:}"}
            [[ $cut ]] && start=""
            while IFS=$'\t' read -r word _; do
                [[ $word == "$text"* ]] || continue
                word=${word#"$cut"}
                [[ $quote ]] || printf -v word %q "$word"
                COMPREPLY+=("$start$word")
            done < <("${COMP_WORDS[0]}" $words 2>/dev/null)
            ;;
        files)
            # Files with these suffixes, and the folders that may hold some: readline quotes them.
            type compopt &>/dev/null || return # before bash 4, any file
            compopt -o filenames
            [[ $quote ]] || text=${text//\\/}
            while IFS= read -r word; do
                COMPREPLY+=("$word")
            done < <(
                compgen -d -- "$text"
                for word in $words; do compgen -f -X "!*$word" -- "$text"; done
            )
            ;;
        paths) return ;; # readline completes paths, spaces and all, where we offer nothing
        folders) type compopt &>/dev/null && compopt -o dirnames ;;
    esac
    # Where we offer nothing, no path is offered instead; before bash 4 there is no way to say so.
    type compopt &>/dev/null && compopt +o default +o bashdefault
}

complete -o default -o bashdefault -F _dg dg dgcli
