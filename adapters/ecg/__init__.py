"""ECG recordings: DICOM waveform, HL7 aECG, SCP-ECG, and reports that are only a PDF."""
