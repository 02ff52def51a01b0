/* The viewer's configuration, made of `window.viewerSettings` (hub/portal/viewer_settings.py). */
(() => {
  const settings = window.viewerSettings;
  console.time("scriptToView");
  window.PUBLIC_URL = settings.root;
  window.browserImportFunction = (name) => import(name);

  // The viewer remembers these by itself; what the hub says goes before it.
  localStorage.setItem("i18nextLng", settings.language);
  localStorage.setItem("shownTours", JSON.stringify(["basicViewerTour"]));

  // Called with the viewer's catalogues before they are used.
  window.viewerWords = (catalogues) => {
    const language = catalogues[settings.language] || (catalogues[settings.language] = {});
    for (const [namespace, words] of Object.entries(settings.words)) {
      language[namespace] = { ...language[namespace], ...words };
    }
    return catalogues;
  };

  // For words that stand in no catalogue of the viewer.
  window.viewerWord = (word) => (settings.words.hub || {})[word] || word;

  // The institution of a study, by its UID: remembered where the search tells it, shown in the list of studies.
  const institutions = new Map();
  window.viewerInstitution = (study, told) => {
    if (told) institutions.set(study, told);
    return institutions.get(study) || "";
  };

  // Whoever's session has ended signs in and comes back to this very study; pictures are asked for in both ways.
  let leaving = false;
  const heard = (status) => {
    if (status !== 401 || leaving) return;
    leaving = true;
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  };
  const { fetch } = window;
  window.fetch = async (...asked) => {
    const answer = await fetch(...asked);
    heard(answer.status);
    return answer;
  };
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (...sent) {
    this.addEventListener("load", () => heard(this.status));
    return send.apply(this, sent);
  };

  const logo = (React) => React.createElement(
    "a",
    { href: settings.back.address, className: "hub-back", title: settings.back.words },
    "← ", settings.back.words,
  );

  window.config = {
    routerBasename: settings.base,
    extensions: [],
    modes: [],
    customizationService: {},
    showStudyList: false,
    showPatientInfo: "visible",
    measurementTrackingMode: "standard",
    investigationalUseDialog: { option: "never" },
    whiteLabeling: { createLogoComponentFn: logo },
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: false,
    showErrorDetails: "production",
    maxNumberOfWebWorkers: 3,
    maxNumRequests: { interaction: 20, thumbnail: 4, prefetch: 10 },
    defaultDataSourceName: "hub",
    dataSources: [
      {
        namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
        sourceName: "hub",
        configuration: {
          friendlyName: "dxhub",
          name: "dxhub",
          qidoRoot: settings.search,
          wadoRoot: settings.retrieve,
          qidoSupportsIncludeField: false,
          supportsReject: false,
          imageRendering: "wadors",
          thumbnailRendering: "thumbnail",
          thumbnailRequestStrategy: "fetch",
          enableStudyLazyLoad: true,
          supportsFuzzyMatching: false,
          supportsWildcard: true,
          singlepart: "bulkdata,video,pdf",
          bulkDataURI: { enabled: true },
          omitQuotationForMultipartRequest: false,
        },
      },
    ],
  };
})();
