// A questionnaire from paper: one press answers all that is left; a comment that is typed means yes. What was answered
// before, and stands on the card for it, is not swept away with the rest: the first such question is gone to.
(function () {
  "use strict";
  const form = document.querySelector("[data-survey]");
  if (!form) return;
  const questions = [...form.querySelectorAll(".survey-question")];
  const answered = (question) => question.querySelector("input[type=radio]:checked");
  form.querySelector("[data-rest]").addEventListener("click", (event) => {
    const left = questions.filter((question) => !answered(question));
    left.filter((question) => !("earlier" in question.dataset))
      .forEach((question) => { question.querySelector(`input[value=${event.target.dataset.rest}]`).checked = true; });
    left.find((question) => "earlier" in question.dataset)?.querySelector("input").focus();
  });
  form.addEventListener("input", (event) => {
    const question = event.target.closest(".survey-question");
    if (question && event.target.type !== "radio" && event.target.value.trim() && !answered(question)) question.querySelector("input[value=yes]").checked = true;
  });
})();
