// A questionnaire from paper: one press answers all that is left; a comment that is typed means yes.
(function () {
  "use strict";
  const form = document.querySelector("[data-survey]");
  if (!form) return;
  const questions = [...form.querySelectorAll(".survey-question")];
  const answered = (question) => question.querySelector("input[type=radio]:checked");
  form.querySelector("[data-rest]").addEventListener("click", (event) => {
    questions.filter((question) => !answered(question))
      .forEach((question) => { question.querySelector(`input[value=${event.target.dataset.rest}]`).checked = true; });
  });
  form.addEventListener("input", (event) => {
    const question = event.target.closest(".survey-question");
    if (question && event.target.type !== "radio" && event.target.value.trim() && !answered(question)) question.querySelector("input[value=yes]").checked = true;
  });
})();
