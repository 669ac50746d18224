"""An AWS emulator on loopback: moto's server, made to behave as AWS does where the auditor looks.

`emulator.server.Emulator` runs it, `emulator.seed` sets what AWS would have produced by time and chance,
`emulator.front.Front` counts, denies, throttles and delays calls.
"""
