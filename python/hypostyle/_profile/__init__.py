"""`hypostyle profile`: what is slow, what replaces it, and the proof on the user's own data.

`command` runs the script twice.  The first run is sampled (the package `hypostyle_profile`); `hot` reads the samples,
`patterns` recognise the lines, and `work` says what kind of work the others do.  In the second run `capture` stops at
each recognized line, and `prove` runs it and what replaces it on the values of that moment.  `pipelines` does so for
whole scripts, by the files that they write.  `advice` weighs the gains of the whole script; `text`, `page` and `patch`
show them.
"""
