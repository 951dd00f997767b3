// Every word that a reader sees: key: [English, Russian]. {n} is put in; {n|step|steps} chooses the form for a number, with
// three forms in Russian (1, 2 to 4, 5).
(() => {
  const table = {};
  page.words = {
    table,
    add(words) { Object.assign(table, words); },
  };
  const form = (lang, n, forms) => {
    if (lang === "en") return forms[n === 1 ? 0 : 1];
    const tens = n % 100, ones = n % 10;
    return forms[tens > 10 && tens < 20 ? 2 : ones === 1 ? 0 : ones > 1 && ones < 5 ? 1 : 2];
  };
  page.t = (key, values = {}) => {
    const entry = table[key];
    if (!entry) return key;
    const lang = page.state.lang;
    return entry[lang === "ru" ? 1 : 0].replace(/\{(\w+)((?:\|[^|}]*)+)?\}/g, (_, name, forms) =>
      forms ? form(lang, Number(values[name]), forms.slice(1).split("|")) : String(values[name] ?? ""));
  };
  /// A number as the language writes groups of thousands.
  page.count = (n) => Number(n).toLocaleString(page.state.lang === "ru" ? "ru" : "en");

  page.words.add({
    page: ["A computation, step by step", "Вычисление по шагам"],
    forward: ["forward", "вперёд"],
    backward: ["backward", "назад"],
    update: ["update", "обновление"],
    Forward: ["Forward", "Вперёд"],
    Backward: ["Backward", "Назад"],
    Update: ["Update", "Обновление"],
    step_of: ["{n} of {all}", "{n} из {all}"],
    step: ["Step", "Шаг"],
    steps: ["{n} {n|step|steps}", "{n} {n|шаг|шага|шагов}"],
    no_steps: ["Nothing was recorded.", "Ничего не записано."],
    operations: ["{n} {n|operation|operations}", "{n} {n|операция|операции|операций}"],
    timeline: ["Timeline", "Ход вычисления"],
    play: ["Play", "Пуск"],
    pause: ["Pause", "Пауза"],
    to_start: ["First step", "К первому шагу"],
    to_end: ["Last step", "К последнему шагу"],
    back: ["One step back", "Шаг назад"],
    on: ["One step on", "Шаг вперёд"],
    to_backward: ["To where backward starts", "К началу обратного прохода"],
    graph: ["Graph", "Граф"],
    graph_hint: ["Drag to move, turn the wheel to zoom, click a node to look at it, a module's name to fold it",
      "Тяните, чтобы двигать; колесо меняет масштаб; щелчок по узлу показывает его, по имени модуля сворачивает"],
    fit: ["Show all", "Показать всё"],
    zoom_in: ["Larger", "Крупнее"],
    zoom_out: ["Smaller", "Мельче"],
    to_present: ["To the present step", "К текущему шагу"],
    outline: ["Outline", "Содержание"],
    outline_show: ["Outline", "Содержание"],
    panel: ["The step", "Шаг"],
    search: ["Find a node", "Найти узел"],
    found: ["{n} found", "найдено: {n}"],
    none_found: ["Nothing found", "Ничего не найдено"],
    fold: ["Fold {name}", "Свернуть {name}"],
    unfold: ["Open {name}", "Раскрыть {name}"],
    times: ["× {n}", "× {n}"],
    range: ["{from} to {to}", "{from}–{to}"],
    present: ["now", "сейчас"],
    waits: ["{n} of {all} gradients", "{n} из {all} градиентов"],
    zero: ["zero", "нуль"],
    stops: ["stops here: {why}", "дальше не идёт: {why}"],
    stops_node: ["gradient stops here", "градиент дальше не идёт"],
    constant: ["constant", "константа"],
    leaf: ["leaf", "лист"],
    elsewhere: ["recorded elsewhere", "записано не здесь"],
    norm: ["gradient's norm {x}", "норма градиента {x}"],
    memory: ["Memory", "Память"],
    memory_curve: ["Live memory over the steps, by kind", "Живая память по шагам и видам"],
    parameters: ["parameters", "параметры"],
    saved: ["saved values", "сохранённые значения"],
    gradients: ["gradients", "градиенты"],
    other: ["temporaries", "временные"],
    live: ["live", "всего"],
    peak: ["peak {x}", "пик {x}"],
    lang: ["Language", "Язык"],
    lang_other: ["Русский", "English"],
    theme: ["Light or dark", "Светлая или тёмная"],
    light: ["Light", "Светлая"],
    dark: ["Dark", "Тёмная"],
    download: ["Picture (SVG)", "Картинка (SVG)"],
    print: ["Print", "Печать"],
    help: ["Keys", "Клавиши"],
    close: ["Close", "Закрыть"],
    key_step: ["a step back, a step on", "шаг назад, шаг вперёд"],
    key_module: ["to the module before, the next module", "к предыдущему, следующему модулю"],
    key_ends: ["first step, last step", "первый шаг, последний шаг"],
    key_play: ["play, pause", "пуск, пауза"],
    key_backward: ["to where backward starts (again: the next pass)", "к началу обратного прохода (ещё раз: следующего)"],
    key_walk: ["along the graph: to an input, to a use", "по графу: к входу, к использованию"],
    key_fold: ["fold the module around the node, open it", "свернуть модуль вокруг узла, раскрыть"],
    key_fold_all: ["fold all, open all", "свернуть всё, раскрыть всё"],
    key_zoom: ["larger, smaller, all", "крупнее, мельче, всё"],
    key_search: ["find a node", "найти узел"],
    key_outline: ["outline", "содержание"],
    key_look: ["language, light or dark", "язык, светлая или тёмная"],
    key_present: ["back to the present step", "обратно к текущему шагу"],
    key_help: ["these keys", "эта подсказка"],
    key_clicker: ["A presenter's remote control steps, too.", "Пульт докладчика тоже листает шаги."],
    skip: ["Skip to the step", "Сразу к шагу"],
    said: ["Step {n} of {all}, {kind}: {name}{where}{shape}", "Шаг {n} из {all}, {kind}: {name}{where}{shape}"],
    said_in: [", in {path}", ", в {path}"],
    said_shape: [", shape {shape}", ", форма {shape}"],
    said_scalar: [", a single number", ", одно число"],
    said_norm: [", gradient norm {x}", ", норма градиента {x}"],
    top: ["(no module)", "(вне модулей)"],
    col_step: ["Step", "Шаг"],
    col_pass: ["Pass", "Проход"],
    col_operation: ["Operation", "Операция"],
    col_module: ["Module", "Модуль"],
    col_shape: ["Shape", "Форма"],
    col_norm: ["Gradient's norm", "Норма градиента"],
    col_line: ["Line", "Строка"],
    col_live: ["Live memory", "Память"],
    all_steps: ["All steps", "Все шаги"],
  });
})();
