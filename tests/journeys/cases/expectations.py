"""What a person sees of every HL7 v2 sample, by reading the files: the lines of a page, its signs and words included.

Files that speak of the same people or orders in other words stand on shelves of their own, each a hub.
"""

from dataclasses import dataclass

WITHDRAWN = "出具机构已撤回本报告"
PRELIMINARY = "初步报告。"


@dataclass(frozen=True)
class Expected:
    """answers: MSA-1 of each. reports: how many. lines: what begins a line of their pages. words: what stands there.

    unsaid: what must not stand there. place, fault: ERR-2 and the fault in Chinese, where nothing becomes a report.
    patient: a number by which FHIR finds somebody, and whom, where the message is about no report.
    """

    answers: tuple[str, ...] = ("AA",)
    reports: int = 1
    lines: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    place: str = ""
    fault: str = ""
    patient: tuple[str, str] = ("", "")
    shelf: int = 0


_COUNT = (
    "白细胞计数 6690-2 12.8 ↑ 偏高 ×10⁹/L 3.5-9.5",
    "红细胞计数 789-8 4.31",
    "血红蛋白 718-7 98 ↓ 偏低 g/L 130-175",
    "血小板计数 777-3 45 ↓ 偏低 ×10⁹/L 125-350",
)

SAMPLES = {
    # UTF-8, an escaped unit, an arrow as flag, a note behind the last result.
    "cn/01_cbc_utf8.hl7": Expected(
        lines=(*_COUNT, "中性粒细胞百分比 770-8 标本轻度溶血 86.1 ↑ 偏高 % 40-75"), words=("张三", "王检验", "全血")
    ),
    # A byte of the name is the separator's.
    "cn/02_cbc_gbk_declared_GB18030_trail7C.hl7": Expected(lines=_COUNT, words=("王弢", "王检验"), shelf=1),
    # GBK, and nothing says so.
    "cn/03_cbc_gbk_undeclared.hl7": Expected(lines=_COUNT, words=("张三", "王检验"), shelf=2),
    # MSH-10 is always 1, sex "Male", a number that is none, a histogram.
    "cn/04_mindray_bc_histogram.hl7": Expected(
        lines=("WBC 6690-2 5.2", "LYM# 731-0 ***.* ×10⁹/L 0.8-4.0", "WBC Histogram. Binary"),
        words=("张三", "男 ·", "已审核"),
    ),
    # A channel number for a code, the name in OBX-4; MSH-16 is no condition of acknowledgement.
    "cn/05_mindray_bs_chem_ascii.hl7": Expected(
        lines=("TBil 2 100.000000 μmol/L", "ALT 5 98.200000 U/L"), words=("Mike", "已审核")
    ),
    "cn/06_mindray_qc_not_patient.hl7": Expected(("AR",), 0, place="PID", fault="无患者信息：不接收质控结果"),
    "cn/07_critical_values.hl7": Expected(
        lines=(
            "钾 2823-3 危急值，已于10:20电话通知张护士 6.9 ↑↑ 危急偏高 mmol/L 3.5-5.3",
            "葡萄糖 2345-7 1.8 ↓↓ 危急偏低 mmol/L 3.9-6.1",
        ),
        words=("张三",),
    ),
    "cn/08_nonnumeric_in_NM.hl7": Expected(
        lines=(
            "甲胎蛋白 AFP <0.61 ng/mL 0-7",
            "人绒毛膜促性腺激素 HCG >10000 ↑ 偏高 mIU/mL 0-5",
            "乙肝表面抗原 HBsAg 阴性(-)",
            "类风湿因子 RF 1:160",
            "促甲状腺激素 TSH — uIU/mL 0.27-4.2",
            "颜色 COLOR 淡黄色",
            "血沉 ESR 15 mm/h 男0-15",
        )
    ),
    "cn/09_final_corrected_cancelled.mllp": Expected(
        ("AA", "AA", "AA"),
        lines=("血红蛋白 718-7 已取消 98",),
        words=(WITHDRAWN, "v3 已取消 (当前)", "v2 已更正", "v1 已审核"),
        shelf=3,
    ),
    # Heartbeats outside frames, the same message twice: one report, one answer twice.
    "cn/10_mllp_with_heartbeats.mllp": Expected(
        ("AA", "AA"), lines=("WBC 6690-2 5.2", "v1 已审核 (当前)"), words=("张三",), shelf=1
    ),
    "cn/11_ecg_oru_with_pdf.hl7": Expected(
        lines=(
            "97 /min",
            "417 ms",
            "心电图报告 application/pdf",
            "窦性心律 ST段抬高（提示心室早期复极）",
        ),
        words=("王芳", PRELIMINARY, "没有可测量或对比的波形"),
        shelf=4,
    ),
    "cn/12_micro_parent_child.hl7": Expected(
        reports=2,
        lines=(
            "鉴定 ORG 大肠埃希菌",
            "菌落计数 CNT >10^5 CFU/mL",
            "氨苄西林 AMP >=32 R 耐药 μg/mL",
            "环丙沙星 CIP <=0.25 S 敏感",
        ),
    ),
    # The order that the two reports below answer; both files say OMI^O23.
    "dcm4che/OMI_O23-ImagingOrder.hl7": Expected(reports=0, patient=("PID_1", "Smith")),
    "dcm4che/ORM_O01-GeneralOrder.hl7": Expected(reports=0, patient=("PID_1", "Smith")),
    "dcm4che/ORU_R01-PDF.hl7": Expected(
        lines=("Diagnostic Imaging Report application/pdf", "AccessionNumber"),
        words=("Microscopic Observation", "已审核"),
    ),
    "dcm4che/ORU_R01-SR.hl7": Expected(
        lines=("Follow-up with CT of the Abdomen without contrast is recommended in 6 months.", "AccessionNumber"),
        words=(
            "The right kidney is slightly enlarged, but otherwise normal",
            "There is a small mass in the left lung",
            "4mmx6mm",
            "5mmx7mm",
            "Malignant neoplasm of left renal pelvis",
        ),
        shelf=1,
    ),
    "dcm4che/ADT_A40-PatientMerge.hl7": Expected(reports=0, patient=("NEW_PID_1", "New_Smith")),
    # A byte order mark; results not yet there (I) and preliminary in a final report; OBR numbered 2, 1.
    "fhirconverter/LAB-ORU-1.hl7": Expected(
        reports=2,
        lines=(
            "LEUKOCYTES 11156-7 待出结果 —",
            "ERYTHROCYTES 11273-0 初步 4.06 tera.l-1",
            "PLATELETS 11125-2 221 giga.l-1",
            "NEUTROPHILS/100 LEUKOCYTES 23761-0 初步 72 %",
        ),
        words=("DUCK", PRELIMINARY, "已审核"),
    ),
    "fhirconverter/LAB-ORU-2.hl7": Expected(
        reports=2,
        lines=("HEMOGLOBIN 20509-6 13.4 g/l-1", "BASOPHILS/100 LEUKOCYTES 30180-4 0 %"),
        words=("DUCK",),
        shelf=1,
    ),
    "fhirconverter/LRI_2.0-NG_CBC_Typ_Message.hl7": Expected(
        ("CA",),
        lines=(
            "Hemoglobin [Mass/volume] in Blood 718-7 12.5 ↓ 偏低 g/mL 13 to 18",
            "Leukocytes [#/volume] in Blood 26464-8 105600 ↑↑ 危急偏高",
            "Anisocytosis [Presence] in Blood 38892-6 Present ++ out of ++++",
            "Erythrocyte morphology finding [Identifier] in Blood 6742-1 Many spherocytes present.",
            "Platelet morphology finding [Identifier] in Blood 11125-2 Platelets show defective granulation.",
        ),
        words=("Jones",),
    ),
    "fhirconverter/MDM-T02-03.hl7": Expected(
        ("CA",),
        words=(
            "Clark",
            PRELIMINARY,
            "Toilet cylinder crackers model step-mother visor opening communication",
            "Reminder shofar congo vibration mother-in-law bondsman suspect",
        ),
    ),
    "fhirconverter/OML-O21-01.hl7": Expected(reports=0, patient=("123456789", "EVERYMAN")),
    # A result before the order, an empty document, a pointer, two answers in one field.
    "fhirconverter/ORU-R01-01.hl7": Expected(
        ("CA",),
        reports=2,
        lines=(
            "Bacteria identified in Stool by Culture 625-4 初步 Submission of serum No Antibodies Detected Salmonella",
            "Bacteria identified 8867-4 待出结果 27 25",
            "https://testurl.com",
        ),
        words=("Finn", "Enteric culture includes testing for Salmonella", "E.coli O157:H7 & other STECs"),
    ),
    "fhirconverter/ORU-R01-RMGEAD.hl7": Expected(
        lines=("GLUCOSE 1554-5 182 ↑ 偏高 mg/dl 70_105",), words=("EVERYWOMAN", "已审核")
    ),
    "fhirconverter/OUL-R22-01.hl7": Expected(
        reports=2,
        lines=(
            "心率 8867-4 初步 60 120",
            "3DHISTECH Thumbnail Image text/plain",
            "http://172.16.237.4/CaseCenter/index.php",
        ),
        words=("Scan Slide", "ContainerType=CaseView&ContainerID=0"),
    ),
    "hapi/cv.04_001_chem.hl7": Expected(("AR",), 0, place="MSH-9", fault="ERP^Z99"),
    "openelis/abbott-architect-result.hl7": Expected(
        lines=("HIV 1/2 Ag/Ab HIV NEGATIVE", "Hepatitis B Surface Ag HBSAG POSITIVE"), words=("RAKOTO", "已审核")
    ),
    "openelis/bc2000-cbc-result.hl7": Expected(
        lines=("WHITE BLOOD CELL WBC 6.8 ×10³/μL", "HEMOGLOBIN HGB 13.0 g/dL", "PLATELET PLT 225"),
        words=("MARTIN",),
        shelf=1,
    ),
    "openelis/bc5380-cbc-result.hl7": Expected(
        lines=("WHITE BLOOD CELL WBC 7.5 ×10³/μL", "HEMATOCRIT HCT 42.0 %"), words=("DOE", "JOHN")
    ),
    "openelis/bs200-chemistry-result.hl7": Expected(
        lines=("CREATININE CREA 1.1 mg/dL", "ASPARTATE AMINOTRANSFERASE AST 28 U/L"), words=("RABE",), shelf=2
    ),
    "openelis/genexpert-result.hl7": Expected(
        lines=("SARS-CoV-2 RNA 94500-6 Not detected", "Ct value 94745-7 28.5 Ct"), words=("JANE", "已审核")
    ),
    "openelis/sysmex-result.hl7": Expected(lines=("WBC WBC 8.2 ×10³/μL", "PLATELET PLT 250 ×10³/μL"), words=("SMITH",)),
    "openelis/sysmex-xn-result.hl7": Expected(
        lines=("WBC WBC 9.2 ×10³/μL 4.0-11.0", "HGB HGB 15.5 g/dL 13.0-17.0", "BASO% BASO% 0.5 % 0.0-2.0"),
        words=("JOHNSON",),
    ),
    "reportstream/OBX-to-Observation-st-value.hl7": Expected(("AE",), 0, place="PID-3", fault="没有可用的患者标识"),
    # NE and NE: whoever asks for no answer gets none.
    "reportstream/ORU_deidentified.hl7": Expected(
        (),
        lines=(
            "SARS-CoV-2 (COVID-19) Ag [Presence] in Upper respiratory specimen by Rapid immunoassay 97097-0",
            "Age at specimen collection 35659-2",
            "Date and time of symptom onset 65222-2 2024-04-11",
        ),
        words=("PIDLAST!", "Detected", "Anterior nares swab"),
    ),
    "reportstream/batch_message.hl7": Expected(
        (),
        reports=2,
        lines=("Whether patient is employed in a healthcare setting 95418-0 Yes",),
        words=("Kareem", "Tyson", "Not detected", "Nasopharyngeal swab"),
    ),
    "reportstream/etor_ORU_20240220.hl7": Expected(
        ("CA", "AA"),
        reports=3,
        lines=(
            "BIRTH WEIGHT MEASURED 8339-4 待出结果 1769.859285 g",
            "Congenital hypothyroidism newborn screen interpretation 46762-1 In range",
        ),
        # Each names its own order as its parent, which makes it nobody's child.
        unsaid=("本报告承接另一份报告",),
        words=("SMITH", "All screening is in range for the conditions tested", "up to 80% will be unaffected."),
    ),
    # Results under twenty orders of one number, two of which have none.
    "reportstream/sample_oru_20241015-001.hl7": Expected(
        reports=20,
        lines=("Thyrotropin 29575-8 14.50 mIU/L <29", "Hemoglobin pattern 54104-5 FA"),
        words=(
            "TESTSIX",
            "Screen is out of range for at least one condition",
            "ACTION REQUIRED",
            "†These results assume no transfusion",
        ),
    ),
    # Two orders of one number and one service, each with results; a time of fifteen digits.
    "reportstream/sample_oru_CDPH_NBS_20241021-001.hl7": Expected(
        reports=3,
        lines=(
            "17-Hydroxyprogesterone 38473-5 65.88 nmol/L <85",
            "17-Hydroxyprogesterone (CAH II) 99717-6 39 ↑ 偏高 nmol/L <38",
            "Cortisol 53345-5 850.00 nmol/L",
        ),
        words=("CDPHTHREE",),
    ),
}
