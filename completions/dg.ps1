# PowerShell completion for dg dgcli. Made by: dg completions powershell

Register-ArgumentCompleter -Native -CommandName 'dg', 'dgcli' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # Sort, commands, names, what follows, help; the words that may follow have the next rows.
    $table = @'
argument||COMMAND|words|
word||file||Transcribe files, or standard input.
word||url||Transcribe recordings that the API fetches itself.
word||live||Transcribe a stream: a radio, a pipe, a file as it plays.
word||mic||Transcribe the microphone while you speak.
word||devices||List the microphones of this machine.
word||render||Write a saved response in any format, without transcribing again.
word||align||Put the words of a corrected text on the times of its response.
word||last||Write what was transcribed last in any format, without transcribing again.
word||history||List the answers that are kept on this machine, or delete them.
word||models||List the speech models of the API and of this machine.
word||serve||Run a Deepgram-compatible server on this machine.
word||callbacks||Take the transcripts that the API sends to a callback.
word||login||Keep an API key, in the system's keyring or a private file.
word||logout||Forget the API key that login kept.
word||whoami||Say which API key is used, and whether it works.
word||token||Print a temporary token for a script.
word||usage||Show the hours and requests of a project.
word||balance||Show what is left of a project's credits.
word||requests||Show the latest requests of a project.
word||doctor||Find out why something does not work, and what to do.
word||config||Show and change the settings of the config file.
word||completions||Print the script that completes dg in your shell.
argument|file|PATH|path|
argument|url|URL|text|
argument|live|SOURCE|path|
argument|mic|[-]|text|
argument|render|RESPONSE|path|
argument|align|RESPONSE|path|
argument|align|TEXT|text|
argument|last|[N]|text|
argument|history|[clear]|words|
word||clear||
argument|models|all|local|pull|remove|words|
word||all||
word||local||
word||pull||
word||remove||
argument|models|NAME|words|
word||large-v3||
word||large-v3-turbo||
word||distil-large-v3||
word||medium.en||
word||medium||
word||small.en||
word||distil-small.en||
word||small||
word||base.en||
word||base||
word||tiny.en||
word||tiny||
argument|requests|REQUEST_ID|text|
argument|config|show|get|set|unset|edit|path|profiles|words|
word||show||
word||get||
word||set||
word||unset||
word||edit||
word||path||
word||profiles||
argument|config|NAME|words|
word||api_key||
word||access_token||
word||base_url||
word||project||
word||allow_http||
word||ca_cert||
word||timeout||
word||retries||
word||local_model||
word||offline||
word||history||
word||history_days||
word||history_size||
word||params.model||
word||params.version||
word||params.language||
word||params.language_hint||
word||params.detect_language||
word||params.encoding||
word||params.sample_rate||
word||params.tier||
word||params.alternatives||
word||params.smart_format||
word||params.punctuate||
word||params.paragraphs||
word||params.numerals||
word||params.measurements||
word||params.dictation||
word||params.filler_words||
word||params.profanity_filter||
word||params.no_delay||
word||params.diarize||
word||params.diarize_model||
word||params.diarize_version||
word||params.multichannel||
word||params.channels||
word||params.utterances||
word||params.keyterm||
word||params.keywords||
word||params.keyword_boost||
word||params.search||
word||params.replace||
word||params.summarize||
word||params.topics||
word||params.custom_topic||
word||params.custom_topic_mode||
word||params.detect_topics||
word||params.intents||
word||params.custom_intent||
word||params.custom_intent_mode||
word||params.sentiment||
word||params.detect_entities||
word||params.ner||
word||params.redact||
word||params.mip_opt_out||
word||params.utt_split||
word||params.interim_results||
word||params.endpointing||
word||params.utterance_end_ms||
word||params.utterance_end||
word||params.vad_events||
word||params.eot_threshold||
word||params.eager_eot_threshold||
word||params.eot_timeout_ms||
word||params.callback||
word||params.callback_method||
word||params.tag||
word||params.extra||
argument|config|VALUE|text|
argument|completions|SHELL|words|
word||bash||
word||zsh||
word||fish||
word||powershell||
flag||-V --version||Show the version and leave.
flag| file url live mic devices render align last history models serve callbacks login logout whoami token usage balance requests doctor config completions|-h --help||Show this message and exit.
flag|file url|-m --model|words|Model to transcribe with, or the id of a custom one. Default: nova-3.
word||nova-3||
word||nova-3-general||
word||nova-3-medical||
word||nova-3-pharma||
word||nova-2||
word||nova-2-general||
word||nova-2-meeting||
word||nova-2-phonecall||
word||nova-2-finance||
word||nova-2-conversationalai||
word||nova-2-voicemail||
word||nova-2-video||
word||nova-2-medical||
word||nova-2-drivethru||
word||nova-2-automotive||
word||nova-2-atc||
word||nova||
word||nova-general||
word||nova-phonecall||
word||nova-medical||
word||enhanced||
word||enhanced-general||
word||enhanced-meeting||
word||enhanced-phonecall||
word||enhanced-finance||
word||base||
word||base-general||
word||base-meeting||
word||base-phonecall||
word||base-finance||
word||base-conversationalai||
word||base-voicemail||
word||base-video||
word||whisper||
word||whisper-tiny||
word||whisper-base||
word||whisper-small||
word||whisper-medium||
word||whisper-large||
flag|file url live mic|--version --model-version|words|Version of the model: 'latest' or an id.
word||latest||
flag|file url live mic|-l --language|words|Language spoken, as a BCP-47 tag; 'multi' for several in one recording. The API's default: en.
word||multi||several in one recording
word||bg||Bulgarian
word||ca||Catalan
word||cs||Czech
word||da||Danish
word||da-DK||Danish (Denmark)
word||de||German
word||de-CH||German (Switzerland)
word||el||Greek
word||en||English
word||en-AU||English (Australia)
word||en-GB||English (United Kingdom)
word||en-IN||English (India)
word||en-NZ||English (New Zealand)
word||en-US||English (United States)
word||es||Spanish
word||es-419||Spanish (Latin America)
word||es-LATAM||Spanish (Latin America)
word||et||Estonian
word||fi||Finnish
word||fr||French
word||fr-CA||French (Canada)
word||hi||Hindi
word||hi-Latn||Hindi (Latin script)
word||hu||Hungarian
word||id||Indonesian
word||it||Italian
word||ja||Japanese
word||ko||Korean
word||ko-KR||Korean (Korea)
word||lt||Lithuanian
word||lv||Latvian
word||ms||Malay
word||nl||Dutch
word||nl-BE||Dutch (Belgium)
word||no||Norwegian
word||pl||Polish
word||pt||Portuguese
word||pt-BR||Portuguese (Brazil)
word||pt-PT||Portuguese (Portugal)
word||ro||Romanian
word||ru||Russian
word||sk||Slovak
word||sv||Swedish
word||sv-SE||Swedish (Sweden)
word||ta||Tamil
word||taq||Tamasheq
word||th||Thai
word||th-TH||Thai (Thailand)
word||tr||Turkish
word||uk||Ukrainian
word||vi||Vietnamese
word||zh||Chinese
word||zh-CN||Chinese (China)
word||zh-HK||Chinese (Hong Kong)
word||zh-Hans||Chinese (simplified)
word||zh-Hant||Chinese (traditional)
word||zh-TW||Chinese (Taiwan)
flag|file url live mic|--language-hint|words|Language to expect in multilingual audio (nova-3 with --language multi, flux-general-multi).
word||bg||Bulgarian
word||ca||Catalan
word||cs||Czech
word||da||Danish
word||da-DK||Danish (Denmark)
word||de||German
word||de-CH||German (Switzerland)
word||el||Greek
word||en||English
word||en-AU||English (Australia)
word||en-GB||English (United Kingdom)
word||en-IN||English (India)
word||en-NZ||English (New Zealand)
word||en-US||English (United States)
word||es||Spanish
word||es-419||Spanish (Latin America)
word||es-LATAM||Spanish (Latin America)
word||et||Estonian
word||fi||Finnish
word||fr||French
word||fr-CA||French (Canada)
word||hi||Hindi
word||hi-Latn||Hindi (Latin script)
word||hu||Hungarian
word||id||Indonesian
word||it||Italian
word||ja||Japanese
word||ko||Korean
word||ko-KR||Korean (Korea)
word||lt||Lithuanian
word||lv||Latvian
word||ms||Malay
word||nl||Dutch
word||nl-BE||Dutch (Belgium)
word||no||Norwegian
word||pl||Polish
word||pt||Portuguese
word||pt-BR||Portuguese (Brazil)
word||pt-PT||Portuguese (Portugal)
word||ro||Romanian
word||ru||Russian
word||sk||Slovak
word||sv||Swedish
word||sv-SE||Swedish (Sweden)
word||ta||Tamil
word||taq||Tamasheq
word||th||Thai
word||th-TH||Thai (Thailand)
word||tr||Turkish
word||uk||Ukrainian
word||vi||Vietnamese
word||zh||Chinese
word||zh-CN||Chinese (China)
word||zh-HK||Chinese (Hong Kong)
word||zh-Hans||Chinese (simplified)
word||zh-Hant||Chinese (traditional)
word||zh-TW||Chinese (Taiwan)
flag|file url|--detect-language||Detect the language of each channel.
flag|file url|--no-detect-language||The opposite of --detect-language.
flag|file url|--detect-language-code|words|Restrict --detect-language to this; repeatable.
word||bg||Bulgarian
word||ca||Catalan
word||cs||Czech
word||da||Danish
word||de||German
word||de-CH||German (Switzerland)
word||el||Greek
word||en||English
word||es||Spanish
word||et||Estonian
word||fi||Finnish
word||fr||French
word||hi||Hindi
word||hu||Hungarian
word||id||Indonesian
word||it||Italian
word||ja||Japanese
word||ko||Korean
word||lt||Lithuanian
word||lv||Latvian
word||ms||Malay
word||nl||Dutch
word||nl-BE||Dutch (Belgium)
word||no||Norwegian
word||pl||Polish
word||pt||Portuguese
word||ro||Romanian
word||ru||Russian
word||sk||Slovak
word||sv||Swedish
word||th||Thai
word||tr||Turkish
word||uk||Ukrainian
word||vi||Vietnamese
word||zh||Chinese
flag|file url live mic|--encoding|words|Encoding of raw (headerless) audio; leave it out for WAV, MP3 and other containers.
word||linear16||
word||linear32||
word||flac||
word||alaw||
word||mulaw||
word||amr-nb||
word||amr-wb||
word||opus||
word||ogg-opus||
word||speex||
word||g729||
flag|file url live mic|--sample-rate|text|Sample rate of raw audio, in Hz.
hidden|file url live mic|--tier|words|Tier of the model, before models were prefixed with it.
word||nova||
word||enhanced||
word||base||
hidden|file url live mic|--alternatives|text|Number of alternative transcripts.
flag|file url live mic|--smart-format||Punctuation, numerals, dates, money and paragraphs as a reader expects them. Default: on.
flag|file url live mic|--no-smart-format||The opposite of --smart-format.
flag|file url live mic|--punctuate||Add punctuation and capitals.
flag|file url live mic|--no-punctuate||The opposite of --punctuate.
flag|file url|--paragraphs||Divide the transcript into paragraphs.
flag|file url|--no-paragraphs||The opposite of --paragraphs.
flag|file url live mic|--numerals||Write numbers as digits: nine becomes 9.
flag|file url live mic|--no-numerals||The opposite of --numerals.
flag|file url|--measurements||Abbreviate units: milligram becomes mg.
flag|file url|--no-measurements||The opposite of --measurements.
flag|file url live mic|--dictation||Turn spoken commands ('comma', 'new line') into marks.
flag|file url live mic|--no-dictation||The opposite of --dictation.
flag|file url live mic|--filler-words||Keep uh and um.
flag|file url live mic|--no-filler-words||The opposite of --filler-words.
flag|file url live mic|--profanity-filter||Mask profanity.
flag|file url live mic|--no-profanity-filter||The opposite of --profanity-filter.
flag|file url live mic|--diarize||Tell speakers apart: a number on every word.
flag|file url live mic|--no-diarize||The opposite of --diarize.
flag|file url|--diarize-model|words|Tell speakers apart with this diarizer, instead of --diarize.
word||latest||
word||v1||
word||v2||
hidden|file url live mic|--diarize-version|words|Version of the old diarizer.
word||latest||
word||2021-07-14.0||
flag|file url live mic|--multichannel||Transcribe each channel on its own.
flag|file url live mic|--no-multichannel||The opposite of --multichannel.
flag|file url live mic|--channels|text|Number of channels of raw audio.
flag|file url|--utterances||Divide the transcript into utterances: what one speaker says without a pause.
flag|file url|--no-utterances||The opposite of --utterances.
flag|file url live mic|--keyterm|text|Word or phrase to listen for; repeatable (Nova-3 and Flux).
flag|file url live mic|--keywords|text|Word to boost, as WORD or WORD:BOOST; repeatable (Nova-2 and older).
hidden|file url|--keyword-boost|words|Old way of boosting keywords.
word||legacy||
flag|file url live mic|--search|text|Term to search for in the sound; hits with times are in the JSON; repeatable.
flag|file url live mic|--replace|text|Replace a term, as FIND:REPLACEMENT, or delete it, as FIND; repeatable.
flag|file url|--summarize||Summarize the recording.
flag|file url|--no-summarize||The opposite of --summarize.
flag|file url|--topics||Find topics.
flag|file url|--no-topics||The opposite of --topics.
flag|file url|--custom-topic|text|Topic to look for; repeatable.
flag|file url|--custom-topic-mode|words|Whether topics of the model's own come beside the custom ones.
word||extended||
word||strict||
hidden|file url|--detect-topics||Old name of --topics.
hidden|file url|--no-detect-topics||The opposite of --detect-topics.
flag|file url|--intents||Find what speakers intend.
flag|file url|--no-intents||The opposite of --intents.
flag|file url|--custom-intent|text|Intent to look for; repeatable.
flag|file url|--custom-intent-mode|words|Whether intents of the model's own come beside the custom ones.
word||extended||
word||strict||
flag|file url|--sentiment||Tell the sentiment of each segment.
flag|file url|--no-sentiment||The opposite of --sentiment.
flag|file url live mic|--detect-entities||List names, places, dates and the like.
flag|file url live mic|--no-detect-entities||The opposite of --detect-entities.
flag|file url live mic|--redact|words|Hide sensitive content: a group (pci, pii, phi, numbers, ssn) or an entity type; repeatable.
word||pci||
word||pii||
word||phi||
word||numbers||
word||aggressive_numbers||
word||ssn||
word||true||
word||account_number||
word||age||
word||bank_account||
word||cardinal||
word||credit_card||
word||credit_card_expiration||
word||cvv||
word||date||
word||date_interval||
word||dob||
word||driver_license||
word||email_address||
word||event||
word||filename||
word||gender_sexuality||
word||healthcare_number||
word||ip_address||
word||location||
word||location_address||
word||location_city||
word||location_coordinate||
word||location_country||
word||location_state||
word||location_zip||
word||money||
word||name||
word||name_given||
word||name_family||
word||name_medical_professional||
word||numerical_pii||
word||occupation||
word||ordinal||
word||origin||
word||passport_number||
word||password||
word||percent||
word||phone_number||
word||physical_attribute||
word||time||
word||url||
word||username||
word||vehicle_id||
word||condition||
word||drug||
word||injury||
word||blood_type||
word||medical_process||
word||statistics||
word||language||
word||marital_status||
word||organization||
word||political_affiliation||
word||religion||
word||routing_number||
word||zodiac_sign||
flag|file url live mic|--mip-opt-out||Leave Deepgram's model improvement program (affects the price).
flag|file url live mic|--no-mip-opt-out||The opposite of --mip-opt-out.
flag|file url|--utt-split|text|Pause that ends an utterance, in seconds. The API's default: 0.8.
flag|file url live mic|--callback|text|Answer at once and deliver the transcript to this URL.
flag|file url|--callback-method|words|HTTP method of the callback.
word||POST||
word||PUT||
flag|file url live mic|--tag|text|Label of the request in usage reports; repeatable.
flag|file url live mic|--extra|text|KEY:VALUE that comes back in the metadata; repeatable.
flag|file url live mic|--param|text|Any other query parameter of the API, as KEY=VALUE; repeatable.
flag|file url|-f --format|words|Format for standard output; of a batch, for the files: repeatable. Default: text.
word||text||The words, in paragraphs; who speaks them where that is known
word||json||The response of the API, byte for byte
word||srt||SubRip captions
word||vtt||WebVTT captions, with voices; --karaoke times every word
word||ass||Advanced SubStation Alpha captions; --karaoke fills words in
word||ssa||SubStation Alpha captions
word||ttml||Timed Text Markup Language captions (IMSC 1.1)
word||ebuttd||EBU-TT-D captions, for European broadcasters' players
word||scc||Scenarist closed captions (CEA-608), for American broadcasters
word||html||A page to read, hear (--audio), search and correct
word||md||Markdown: analyses, and paragraphs with times
word||csv||The words, comma-separated, with times and confidence
word||tsv||The words, tab-separated, with times and confidence
word||words.jsonl||The words, a JSON object a line
flag|file url live mic render align last callbacks|-o --output|path|File to write; its suffix names the format; repeatable.
flag|file url|-r --recursive||Transcribe every recording below a directory.
flag|file url|--files-from|path|File with a path or URL on each line; - for standard input.
flag|file url|--files0-from|path|The same with NUL after each (find -print0), for any name.
flag|file url|--output-dir|path|Write below this, as the recordings lie below theirs; else beside each.
flag|file url|--name-template|text|Names of the outputs, from {stem}, {name}, {ext}, {lang} and {hash}. Default: {stem}.{ext}.
flag|file url|-j --jobs|text|Uploads at once. Default: 4.
flag|file url|--max-rps|text|Requests a second, at most.
flag|file url|--skip-existing|words|Keep outputs made of the same audio with the same options (same, the default), or any.
word||same||
word||any||
flag|file url|--overwrite||Send everything again, and pay for it again.
flag|file url|--fail-fast||Begin nothing more after the first failure.
flag|file url|--dry-run||Only list what would be sent and written, and the hours of audio.
flag|file url|--report|path|Write a line of JSON for each recording.
flag|file url|--shard|text|Take only share K of N; auto: the one that Slurm, Kubernetes or AWS Batch gives.
flag|file url|--cache||Use the answer in the history where the same audio was sent with the same options.
flag|file url|--any-file||Send also what is plainly no recording: text, archives, images.
flag|file url|--check||Only check what is kept of earlier runs in directories of outputs.
flag|file url live mic render align last callbacks|--speaker|text|Name of speaker N (of channel N, where only channels are known); repeatable.
flag|file url live mic render align last callbacks|--audio|path|Recording that html and md link to: a path or a URL.
flag|file url live mic render align last callbacks|--title|text|Title of html. Default: the name of the recording.
flag|file url live mic render align last callbacks|--list-formats||List the formats and leave.
flag|file url live mic render align last callbacks|--preset|words|Limits of captions as a publisher has them. Default: netflix.
word||netflix||42 characters a line, lines: 2, 20 characters a second
word||bbc||37 characters a line, lines: 2, 17 characters a second
word||youtube||32 characters a line, lines: 2, 20 characters a second
word||social||24 characters a line, lines: 1, 25 characters a second
flag|file url live mic render align last callbacks|--max-chars|text|Characters a line.
flag|file url live mic render align last callbacks|--max-lines|text|Lines a cue.
flag|file url live mic render align last callbacks|--min-duration|text|Shortest time a cue is shown.
flag|file url live mic render align last callbacks|--max-duration|text|Longest time a cue is shown.
flag|file url live mic render align last callbacks|--max-cps|text|Reading speed, in characters a second.
flag|file url live mic render align last callbacks|--min-gap|text|Gap between cues.
flag|file url live mic render align last callbacks|--fps|text|Begin and end cues on frames of this rate.
flag|file url live mic render align last callbacks|--speaker-style|words|How captions tell who speaks. Default: label; of vtt, voice.
word||label||
word||dash||
word||voice||
word||colour||
flag|file url live mic render align last callbacks|--isolates||Mark the direction of Hebrew and Arabic lines in srt (UAX #9).
flag|file url live mic render align last callbacks|--segment-duration|text|Length of a segment of captions.m3u8. Default: 6.
flag|file url live mic render align last callbacks|--timestamp-map|text|MPEG-2 timestamp of the media where captions.m3u8 begins, in 1/90000 s. Default: 0.
flag|file url live mic render align last callbacks|--karaoke||Time every word, in formats that can: vtt, ass, ssa.
flag|file url live mic render align last callbacks|--smooth-speakers||Change speakers where sentences end. Default: where people read, not in json, csv, tsv.
flag|file url live mic render align last callbacks|--no-smooth-speakers||The opposite of --smooth-speakers.
flag|file url render align last|--with|words|Analyses that follow the words in plain text, with commas between them: summary, topics, intents, entities, sentiment, search, language, or all. Default: all on a terminal, none elsewhere.
word||summary||
word||topics||
word||intents||
word||entities||
word||sentiment||
word||search||
word||language||
word||all||
flag|file url live mic models whoami token usage balance requests doctor|--api-key|text|API key; else DEEPGRAM_API_KEY, the config file or dg login.
flag|file url live mic models whoami token usage balance requests doctor|--access-token|text|Temporary token instead of a key; else DEEPGRAM_ACCESS_TOKEN.
flag|file url live mic models whoami token usage balance requests doctor|--base-url|text|Another host of the API; else DEEPGRAM_BASE_URL.
flag|file url live mic models whoami token usage balance requests doctor|--profile|asked config profiles|Profile of the config file; else DGCLI_PROFILE.
flag|file url live mic models whoami token usage balance requests doctor|--allow-http||Send the key in clear text to a self-hosted server.
flag|file url live mic models whoami token usage balance requests doctor|--ca-cert|path|Certificate authorities to trust; else SSL_CERT_FILE.
flag|file url live mic|--local||Transcribe on this machine: no key, no network. See dg models local.
flag|file url live mic align|--local-model|path|Folder of a Whisper model of your own for --local, which nobody verifies.
flag|file url live mic align|--offline||Fetch no model for --local; else HF_HUB_OFFLINE.
flag|file url|--timeout|text|Seconds to wait for the transcript after the upload. Default: 1500.
flag|file url|--retries|text|Further tries after a lost connection or a busy server; one that comes after a whole upload may be billed again. Default: 3.
flag|file url live mic|--history||Keep the answer on this machine, for dg last and dg history. Default: on.
flag|file url live mic|--no-history||The opposite of --history.
flag|file|--whole-file||Send all of a video, not its audio track alone where that saves half or more.
flag|file|--audio-track|text|Send this audio track alone, counted from 1. Default: the one that players choose.
flag|file url live|--show-request|words|Send nothing: print the same request for another program, which takes the key from $DEEPGRAM_API_KEY.
word||curl||
word||python||
word||httpie||
flag|file url live mic devices render align last history models serve callbacks login logout whoami token usage balance requests doctor config completions|-q --quiet||Say nothing but errors.
flag|file url live mic devices render align last history models serve callbacks login logout whoami token usage balance requests doctor config completions|-v --verbose||Say more.
flag|live mic|-m --model|words|Model to transcribe with, or the id of a custom one. Default: nova-3.
word||nova-3||
word||nova-3-general||
word||nova-3-medical||
word||nova-3-pharma||
word||nova-2||
word||nova-2-general||
word||nova-2-meeting||
word||nova-2-phonecall||
word||nova-2-finance||
word||nova-2-conversationalai||
word||nova-2-voicemail||
word||nova-2-video||
word||nova-2-medical||
word||nova-2-drivethru||
word||nova-2-automotive||
word||nova-2-atc||
word||nova||
word||nova-general||
word||nova-phonecall||
word||nova-medical||
word||enhanced||
word||enhanced-general||
word||enhanced-meeting||
word||enhanced-phonecall||
word||enhanced-finance||
word||base||
word||base-general||
word||base-meeting||
word||base-phonecall||
word||base-finance||
word||base-conversationalai||
word||base-voicemail||
word||base-video||
word||flux-general-en||
word||flux-general-multi||
flag|live mic|--no-delay||Do not hold final results back for formatting and redaction.
flag|live mic|--no-no-delay||The opposite of --no-delay.
flag|live mic|--diarize-model|words|Tell speakers apart with this diarizer, instead of --diarize.
word||latest||
word||v1||
hidden|live mic|--ner||Old name of entity detection.
hidden|live mic|--no-ner||The opposite of --ner.
flag|live mic|--interim-results||Send provisional results while an utterance is open. Default: on.
flag|live mic|--no-interim-results||The opposite of --interim-results.
flag|live mic|--endpointing|words|Silence that ends a segment, in milliseconds, or 'false'. The API's default: 10.
word||10||
word||100||
word||300||
word||500||
word||false||
flag|live mic|--utterance-end-ms|text|Gap between words after which UtteranceEnd is sent, in milliseconds (1000 to 5000).
flag|live mic|--vad-events||Send an event when speech starts.
flag|live mic|--no-vad-events||The opposite of --vad-events.
flag|live mic|--eot-threshold|text|Flux: confidence that ends a turn (0.5 to 1.0). The API's default: 0.7.
flag|live mic|--eager-eot-threshold|text|Flux: confidence that ends a turn provisionally (0.3 to 0.9). Default: never.
flag|live mic|--eot-timeout-ms|text|Flux: silence that ends a turn in any case, in milliseconds (500 to 60000). The API's default: 5000.
flag|live mic|--callback-method|words|HTTP method of the callback.
word||POST||
word||GET||
word||PUT||
word||DELETE||
flag|live mic|-f --format|words|Format for standard output. Default: text.
word||text||The words, in paragraphs; who speaks them where that is known
word||json||The response of the API, byte for byte
word||srt||SubRip captions
word||vtt||WebVTT captions, with voices; --karaoke times every word
word||ass||Advanced SubStation Alpha captions; --karaoke fills words in
word||ssa||SubStation Alpha captions
word||ttml||Timed Text Markup Language captions (IMSC 1.1)
word||ebuttd||EBU-TT-D captions, for European broadcasters' players
word||scc||Scenarist closed captions (CEA-608), for American broadcasters
word||html||A page to read, hear (--audio), search and correct
word||md||Markdown: analyses, and paragraphs with times
word||csv||The words, comma-separated, with times and confidence
word||tsv||The words, tab-separated, with times and confidence
word||words.jsonl||The words, a JSON object a line
word||jsonl||The events of the stream, a JSON object a line
flag|live mic|-t --timestamps||Print when each utterance was said: text [2.5 - 4.26].
flag|live mic|--interim||Show what is understood so far; on stderr where lines are written. Default: on a terminal.
flag|live mic|--no-interim||The opposite of --interim.
flag|live mic|--max-delay|text|Write a caption so long after its last word, however it goes on; 0: when it is best. Default: 4.
flag|live mic|--stats||Report audio sent, words, connections, gaps and latency at the end.
flag|live mic|--save-audio|path|Keep the audio that was sent: .wav, .flac, .mp3, .ogg, .opus or .raw; what is passed on as it comes keeps its suffix.
flag|live mic|--overlay|text|Serve live captions as a page for OBS and a second screen, styled by its URL. Default: port 8722; 0 takes a free one.
flag|live mic|--overlay-host|text|Address to serve --overlay on. Default: 127.0.0.1, this machine only; 0.0.0.0 is all networks.
flag|live mic|--last-lines|path|Keep the last lines of what is said in this file, for text sources that read one; as many as --max-lines.
flag|live|--speed|text|Send a file so many times as fast as real time; the API allows 1.25. Default: 1.
flag|live|--force-speed||Allow a --speed above 1.25: results may come late, or the connection end.
flag|live mic|--duration|text|Stop after so much audio.
flag|live mic|--stop-after-silence|text|Stop after so long without a word.
flag|live mic|--max-reconnects|text|Tries to connect again without a new word between them. Default: 10.
flag|live mic|--no-reconnect||End when the connection drops.
flag|live mic|--control|path|Named pipe or growing file with lines of JSON that act on the stream: configure, finalize, marker, pause, resume, stop.
flag|mic|-d --device|asked devices --names|Index of a microphone, or part of its name; see dg devices.
flag|mic|--list-devices||List the microphones and leave.
flag|mic|--test||Record five seconds, without sending them, and say how good they are.
flag|mic|--json||Write --list-devices or --test as JSON.
flag|mic|--block|text|Milliseconds of audio to send at once, 20 to 250. Default: 100.
flag|mic|--resample|text|Convert to this sample rate; without it the microphone's own is sent.
flag|mic|--reopen|text|How long to wait for a microphone that was unplugged. Default: 30.
flag|mic|--stop-phrase|text|Stop when this is said.
flag|devices|--json||Write a JSON array instead of a table.
hidden|devices|--names||
flag|render|--output-dir|path|Folder for a file per response, in the format that -f names.
flag|render align callbacks|-l --language|words|Language spoken, where the response names none. Default: en.
word||bg||Bulgarian
word||ca||Catalan
word||cs||Czech
word||da||Danish
word||da-DK||Danish (Denmark)
word||de||German
word||de-CH||German (Switzerland)
word||el||Greek
word||en||English
word||en-AU||English (Australia)
word||en-GB||English (United Kingdom)
word||en-IN||English (India)
word||en-NZ||English (New Zealand)
word||en-US||English (United States)
word||es||Spanish
word||es-419||Spanish (Latin America)
word||es-LATAM||Spanish (Latin America)
word||et||Estonian
word||fi||Finnish
word||fr||French
word||fr-CA||French (Canada)
word||hi||Hindi
word||hi-Latn||Hindi (Latin script)
word||hu||Hungarian
word||id||Indonesian
word||it||Italian
word||ja||Japanese
word||ko||Korean
word||ko-KR||Korean (Korea)
word||lt||Lithuanian
word||lv||Latvian
word||ms||Malay
word||nl||Dutch
word||nl-BE||Dutch (Belgium)
word||no||Norwegian
word||pl||Polish
word||pt||Portuguese
word||pt-BR||Portuguese (Brazil)
word||pt-PT||Portuguese (Portugal)
word||ro||Romanian
word||ru||Russian
word||sk||Slovak
word||sv||Swedish
word||sv-SE||Swedish (Sweden)
word||ta||Tamil
word||taq||Tamasheq
word||th||Thai
word||th-TH||Thai (Thailand)
word||tr||Turkish
word||uk||Ukrainian
word||vi||Vietnamese
word||zh||Chinese
word||zh-CN||Chinese (China)
word||zh-HK||Chinese (Hong Kong)
word||zh-Hans||Chinese (simplified)
word||zh-Hant||Chinese (traditional)
word||zh-TW||Chinese (Taiwan)
flag|render last callbacks|-f --format|words|Format for standard output. Default: text.
word||text||The words, in paragraphs; who speaks them where that is known
word||json||The response of the API, byte for byte
word||srt||SubRip captions
word||vtt||WebVTT captions, with voices; --karaoke times every word
word||ass||Advanced SubStation Alpha captions; --karaoke fills words in
word||ssa||SubStation Alpha captions
word||ttml||Timed Text Markup Language captions (IMSC 1.1)
word||ebuttd||EBU-TT-D captions, for European broadcasters' players
word||scc||Scenarist closed captions (CEA-608), for American broadcasters
word||html||A page to read, hear (--audio), search and correct
word||md||Markdown: analyses, and paragraphs with times
word||csv||The words, comma-separated, with times and confidence
word||tsv||The words, tab-separated, with times and confidence
word||words.jsonl||The words, a JSON object a line
flag|align|--force||Align even if less than half of the words match.
flag|align|-f --format|words|Format for standard output. Default: json.
word||text||The words, in paragraphs; who speaks them where that is known
word||json||The response of the API, byte for byte
word||srt||SubRip captions
word||vtt||WebVTT captions, with voices; --karaoke times every word
word||ass||Advanced SubStation Alpha captions; --karaoke fills words in
word||ssa||SubStation Alpha captions
word||ttml||Timed Text Markup Language captions (IMSC 1.1)
word||ebuttd||EBU-TT-D captions, for European broadcasters' players
word||scc||Scenarist closed captions (CEA-608), for American broadcasters
word||html||A page to read, hear (--audio), search and correct
word||md||Markdown: analyses, and paragraphs with times
word||csv||The words, comma-separated, with times and confidence
word||tsv||The words, tab-separated, with times and confidence
word||words.jsonl||The words, a JSON object a line
flag|align|--local||Look for new words in the recording of --audio, with a model of this machine.
flag|last|--output-dir|path|Folder for a file named after the recording, in the format of -f.
flag|history|--json||List as JSON.
flag|models whoami token usage balance requests doctor|--json||Write JSON instead of a table.
flag|models|--language|text|Only models of the API that know this language.
flag|models|--outdated||List what newer models have replaced, too.
flag|models|--names||Print names alone, without asking the API: for completion.
flag|serve|--host|text|Address to listen on; 0.0.0.0 opens it to the network. Default: 127.0.0.1.
flag|serve callbacks|--port|text|Port to listen on; 0 takes a free one. Default: 8080.
flag|serve|--engine|words|Recogniser: whisper; replay to answer with --response; count to confirm bytes only. Default: whisper.
word||whisper||
word||replay||
word||count||
flag|serve|--response|path|Response that --engine replay answers with.
flag|serve|--record|path|Keep the audio, query and headers of each request here.
flag|serve|--require-key|text|Answer 401 to whoever does not send this key.
flag|serve|--allow-private-urls||Fetch URLs of private networks and this machine too.
flag|serve|--allow-host|text|Another name that this server goes by: NAME, *.DOMAIN, or * for any. May be repeated.
flag|serve|--allow-origin|text|Origin of web pages to serve beside those of this machine, or * for any. May be repeated.
flag|serve|--max-streams|text|Live streams at once; the next one gets 429. Default: 32.
flag|serve|--local-model|path|Folder of a Whisper model of your own, which nobody verifies.
flag|serve|--offline||Fetch no model; else HF_HUB_OFFLINE.
flag|callbacks|--host|text|Address to listen on. Default: 127.0.0.1.
flag|callbacks|--output-dir|path|Folder for the bodies, ID.json, and for -o. Default: the current one.
flag|callbacks|--secret|text|First part of the callback's path; else DGCLI_CALLBACK_SECRET. Default: a random one.
flag|callbacks|--token|text|Id of the API key that the header dg-token must have; then no secret is needed.
flag|login|--profile|asked config profiles|Keep it for this profile; else for all.
flag|login|--base-url|text|Another host of the API, which checks the key.
flag|logout|--profile|asked config profiles|Forget the key of this profile.
flag|token|--ttl|text|Seconds for which it counts, 1 to 3600. Default: 30.
flag|usage|--start|text|First day. Default: 30 days before the last.
flag|usage|--end|text|Last day. Default: today.
flag|usage|--by|words|What a row is for: models, endpoint, method, tags... Default: models.
word||models||
word||endpoint||
word||method||
word||tags||
word||accessor||
word||deployment||
word||feature_set||
flag|usage balance requests|--project|text|Project to ask about, by id or name; else DEEPGRAM_PROJECT_ID, `project` of the config file, or the only one.
flag|requests|--start|text|First day.
flag|requests|--end|text|Last day.
flag|requests|--limit|text|The latest so many, 1 to 1000. Default: 10.
flag|requests|--failed||Only those that failed.
flag|doctor|--send||Send two seconds of silence, which is billed. Default: on.
flag|doctor|--no-send||The opposite of --send.
flag|config|--profile|asked config profiles|Settings of this profile; else of all.
flag|config|--json||Show a JSON object instead of lines.
'@
    $rows = [System.Collections.ArrayList]::new()
    foreach ($line in $table -split '\r?\n') {
        $sort, $commands, $names, $takes, $help = $line -split '\|', 5
        $row = [pscustomobject]@{
            Sort = $sort
            Commands = $commands -split ' '
            Names = $names -split ' '
            Takes = $takes
            Help = $help
            Words = [System.Collections.ArrayList]::new()
        }
        if ($sort -eq 'word') {
            [void]$rows[$rows.Count - 1].Words.Add($row)
        } else {
            [void]$rows.Add($row)
        }
    }

    # Where we are: in which command, behind which flag.
    $command = ''
    $behind = $null
    $onlyArguments = $false
    $before = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition })
    foreach ($element in $before | Select-Object -Skip 1) {
        $word = $element.Extent.Text
        if ($behind) {
            $behind = $null
        } elseif (-not $onlyArguments -and $word -ceq '--') {
            $onlyArguments = $true
        } elseif (-not $onlyArguments -and $word -like '-?*') {
            $behind = $rows | Where-Object {
                $_.Sort -ne 'argument' -and $_.Takes -and
                $_.Commands -ccontains $command -and $_.Names -ccontains $word
            }
        } elseif (-not $command) {
            $command = $word
        }
    }

    # What may stand here: the words of a row, or flags and commands; the text in front of them stays.
    $start = ''
    $text = "$wordToComplete"
    $here = @($rows | Where-Object { $_.Commands -ccontains $command })
    if (-not $behind -and -not $onlyArguments -and $text -cmatch '^(--[^=]+)=(.*)$|^(-[^-])(.+)$') {
        $name = $Matches[1] + $Matches[3]
        $found = $here | Where-Object { $_.Sort -ne 'argument' -and $_.Takes -and $_.Names -ccontains $name }
        if ($found) {
            $behind = $found
            $text = $Matches[2] + $Matches[4]
            $start = $wordToComplete.Substring(0, $wordToComplete.Length - $text.Length)
        }
    }
    if ($behind) {
        $takes = $behind.Takes
        $offered = @($behind.Words)
    } elseif (-not $onlyArguments -and $text -like '-*') {
        $takes = ''
        $offered = @($here | Where-Object { $_.Sort -eq 'flag' })
    } else {
        $argument = $here | Where-Object { $_.Sort -eq 'argument' } | Select-Object -First 1
        $takes = if ($argument) { $argument.Takes } else { '' }
        $offered = @(if ($argument) { $argument.Words })
    }

    if ($takes -like 'asked *') {
        # Which values there are, the program alone knows: a name on each line, what it is behind a tab.
        $quote = [string][char]39
        $asked = @($takes -split ' ' | Select-Object -Skip 1)
        $text = $text.Trim([char]34, [char]39)
        $results = @(
            foreach ($line in & $commandAst.CommandElements[0].Extent.Text @asked 2>$null) {
                $name, $help = $line -split '\t', 2
                if ($name.StartsWith($text, [System.StringComparison]::OrdinalIgnoreCase)) {
                    $quoted = $quote + $name.Replace($quote, $quote + $quote) + $quote
                    $word = if ($name -match '^[\w.+-]+$') { $name } else { $quoted }
                    $help = if ($help) { $help } else { $name }
                    [System.Management.Automation.CompletionResult]::new(
                        $start + $word, $name, 'ParameterValue', $help)
                }
            }
        )
        if ($results) { return $results }
        return ''
    }
    if ($takes -eq 'path') {
        if ($start -and $text) {
            foreach ($path in [System.Management.Automation.CompletionCompleters]::CompleteFilename($text)) {
                [System.Management.Automation.CompletionResult]::new(
                    $start + $path.CompletionText, $path.ListItemText, $path.ResultType, $path.ToolTip)
            }
        }
        return # without results PowerShell completes paths
    }
    $results = @(
        foreach ($row in $offered) {
            foreach ($name in $row.Names) {
                if ($name.StartsWith($text, [System.StringComparison]::OrdinalIgnoreCase)) {
                    $type = if ($row.Sort -eq 'flag') { 'ParameterName' } else { 'ParameterValue' }
                    $help = if ($row.Help) { $row.Help } else { $name }
                    [System.Management.Automation.CompletionResult]::new($start + $name, $name, $type, $help)
                }
            }
        }
    )
    if ($results) { $results } else { '' } # an empty text: no paths instead
}
