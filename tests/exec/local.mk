# tests of exec
