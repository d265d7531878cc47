"""All signals that the forensic encoder reports, in words."""

from dataclasses import dataclass

from encoders.types import Direction

HIGH, LOW, EITHER = Direction.HIGH, Direction.LOW, Direction.EITHER


@dataclass(frozen=True, slots=True)
class SignalKind:
    """What one signal measures.

    name: group and quantity. unit: of the value. direction: where tampering moves it.
    source: the literature, short. explanation: one sentence for a reviewer.
    in_films: also reported for frames of a film (its worst frame); True for all but stills.
    """

    name: str
    unit: str
    direction: Direction
    source: str
    explanation: str
    in_films: bool = True

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]


KINDS: tuple[SignalKind, ...] = (
    SignalKind(
        "image.residual_inconsistency",
        "robust z",
        HIGH,
        "Fridrich & Kodovsky 2012; Cozzolino et al. 2015",
        "Finest detail of the most deviant region against what its brightness and texture "
        "predict; interpolated, smoothed or generated regions stand out.",
    ),
    SignalKind(
        "image.noise_level",
        "grey levels",
        EITHER,
        "Donoho 1995",
        "Noise in the quieter quarter of the picture; denoised or generated pictures have little, "
        "added grain gives much.",
        in_films=False,
    ),
    SignalKind(
        "image.noise_inconsistency",
        "robust z",
        HIGH,
        "Mahdian & Saic 2009",
        "Noise of the most deviant region against what its brightness and texture predict; "
        "a pasted region brings the noise of another camera.",
    ),
    SignalKind(
        "image.spectral_slope",
        "decades per decade",
        EITHER,
        "Durall et al. 2020",
        "Slope of the power spectrum over middle frequencies; photographs lie close to -2.",
        in_films=False,
    ),
    SignalKind(
        "image.high_frequency_deviation",
        "dB",
        EITHER,
        "Durall et al. 2020",
        "Power at the highest frequencies against the picture's own power law; generators and "
        "resizing lower or raise it.",
    ),
    SignalKind(
        "image.checkerboard_peak",
        "dB",
        HIGH,
        "Zhang et al. 2019",
        "Strongest peak at half the sampling rate above its surroundings; up-convolution leaves "
        "a checkerboard there.",
    ),
    SignalKind(
        "image.resampling_peak",
        "dB",
        HIGH,
        "Gallagher 2005",
        "Strongest periodicity of the second derivative; enlarging or turning a picture makes it "
        "periodic.",
        in_films=False,
    ),
    SignalKind(
        "image.grid_displacement",
        "robust z",
        HIGH,
        "Fan & de Queiroz 2003; Li et al. 2009",
        "Evidence that a region's 8 x 8 compression grid is displaced against the rest of the "
        "picture, as in a paste from another compressed picture.",
    ),
    SignalKind(
        "image.double_quantisation",
        "log chi-square per bin",
        HIGH,
        "Popescu & Farid 2004",
        "Peaks and gaps in the histograms of the compression coefficients; a picture that was "
        "compressed twice with different settings has them, as after any upload service.",
        in_films=False,
    ),
    SignalKind(
        "image.error_level_inconsistency",
        "robust z",
        HIGH,
        "Krawetz 2007; Farid 2009",
        "Change under one more compression in the most deviant region against what its "
        "brightness and texture predict; regions with another compression history differ.",
    ),
    SignalKind(
        "image.blur_inconsistency",
        "robust z",
        HIGH,
        "Crete et al. 2007; Li et al. 2020",
        "Sharpness of the most deviant region against what its brightness and texture predict; "
        "retouching and blending soften.",
    ),
    SignalKind(
        "image.copy_move_peak",
        "standard deviations",
        HIGH,
        "Fridrich et al. 2003",
        "Height of the strongest repetition within the picture; a region copied to another place "
        "repeats exactly, but so do some textures.",
        in_films=False,
    ),
    SignalKind(
        "video.step_volatility",
        "median steps",
        LOW,
        "Zheng et al. 2025 (D3)",
        "How much the change from frame to frame itself varies over time; generated films "
        "move too evenly.",
    ),
    SignalKind(
        "video.repeated_frames",
        "share",
        HIGH,
        "Wang & Farid 2007",
        "Share of frames that repeat an earlier frame although the film moves; freezes, loops "
        "and reversals do.",
    ),
    SignalKind(
        "video.return",
        "share",
        HIGH,
        "Wang & Farid 2007",
        "How completely the film returns to an earlier state within two steps; reversals and "
        "spliced single frames do.",
    ),
    SignalKind(
        "video.straight_step",
        "share",
        HIGH,
        "Zheng et al. 2025 (D3)",
        "How exactly a frame is the mean of its neighbours; interpolated and blended frames do.",
    ),
    SignalKind(
        "video.local_change",
        "log ratio",
        HIGH,
        "Wang & Farid 2007",
        "Change of the most changing region against the usual change in the same frame; "
        "a region edited in time changes by itself, but so does a moving object.",
    ),
    SignalKind(
        "video.detail_jump",
        "log ratio",
        HIGH,
        "Crete et al. 2007",
        "Largest step in fine detail from one frame to the next; warped, blended or replaced "
        "frames are softer than their neighbours.",
    ),
    SignalKind(
        "audio.cepstral_movement",
        "root mean square",
        EITHER,
        "Sahidullah et al. 2015",
        "Movement of fine spectral detail in time; synthesis smooths it, crude resynthesis "
        "roughens it.",
    ),
    SignalKind(
        "audio.spectral_tilt",
        "dB per kHz",
        EITHER,
        "Paul et al. 2017",
        "Slope of the spectrum of the speech; synthetic voices are often brighter or duller.",
    ),
    SignalKind(
        "audio.spectral_flux",
        "dB",
        EITHER,
        "Paul et al. 2017",
        "Change of the spectrum's shape every 10 ms; smoothed synthesis changes less, "
        "a poor phase more.",
    ),
    SignalKind(
        "audio.noise_floor_jump",
        "dB",
        HIGH,
        "Pan et al. 2012",
        "Largest step of the background level from one quarter second to the next; "
        "a splice joins two backgrounds.",
    ),
    SignalKind(
        "audio.digital_silence",
        "share",
        HIGH,
        "Borrelli et al. 2021",
        "Share of exact silence between the first and the last sound; synthesis and gating "
        "leave it, microphones do not.",
    ),
    SignalKind(
        "audio.group_delay_spread",
        "frames",
        EITHER,
        "Murthy & Gadde 2003",
        "Spread of the group delay over frequency; vocoders and estimated phases scatter it or "
        "make it too even.",
    ),
    SignalKind(
        "audio.phase_advance",
        "share",
        EITHER,
        "Sanchez et al. 2015",
        "How evenly phases advance from frame to frame; too even for a vocoder, uneven for "
        "pieced-together sound.",
    ),
    SignalKind(
        "audio.pulse_sharpness",
        "log kurtosis",
        EITHER,
        "Sanchez et al. 2015; Griffin & Lim 1984",
        "How sharply the voice's energy gathers within a pitch period; an estimated phase "
        "spreads it, an impulse-driven vocoder sharpens it.",
    ),
    SignalKind(
        "audio.jitter",
        "percent",
        EITHER,
        "Li et al. 2023",
        "Irregularity of the pitch period from one 10 ms to the next; synthetic pitch is "
        "often too smooth.",
    ),
    SignalKind(
        "audio.shimmer",
        "dB",
        EITHER,
        "Li et al. 2023",
        "Irregularity of the loudness of voiced sound; synthetic loudness is often too smooth.",
    ),
    SignalKind(
        "audio.harmonic_clarity",
        "dB",
        EITHER,
        "Boersma 1993",
        "Periodic against aperiodic energy of voiced sound; vocoders are too clear or too noisy.",
    ),
    SignalKind(
        "av.onset_lag",
        "seconds",
        EITHER,
        "Chung & Zisserman 2016",
        "Lag of sound behind movement at which they agree best.",
    ),
    SignalKind(
        "av.onset_agreement",
        "correlation",
        LOW,
        "Chung & Zisserman 2016",
        "Agreement of sound onsets with movement at no lag; lowered by a shift or another track, "
        "and meaningless where nothing seen makes a sound.",
    ),
)

BY_NAME: dict[str, SignalKind] = {kind.name: kind for kind in KINDS}
