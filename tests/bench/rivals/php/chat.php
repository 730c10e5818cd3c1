<?php
// The headless API's stream in PHP, behind nginx and PHP-FPM: one request, one process. DATABASE and MODEL_URL are the
// pool's (php-fpm.conf). What a careful author does for speed is done: a database connection that is kept, statements in
// one round trip each, no output buffer, and a flush as soon as the model said something.
declare(strict_types=1);

const JSON = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS | JSON_INVALID_UTF8_SUBSTITUTE;

function refuse(int $status, string $error): never
{
	http_response_code($status);
	header('Content-Type: application/json');
	exit(json_encode(['error' => $error]));
}

function send(array $event): void
{
	echo json_encode($event, JSON), "\n";
}

function query(PDO $database, string $sql, array $values): array
{
	$statement = $database->prepare($sql);
	$statement->execute($values);
	return $statement->fetchAll();
}

ignore_user_abort(true); // what the model said until then is stored
$database = new PDO(getenv('DATABASE'), options: [
	PDO::ATTR_PERSISTENT => true,
	PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
	PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
	PDO::PGSQL_ATTR_DISABLE_PREPARES => true, // each would be a second round trip
]);
$key = query($database, 'select chatbot from api_key where hash = ? and active', [hash('sha256', $_SERVER['HTTP_X_API_KEY'] ?? '')]);
if (!$key) {
	refuse(401, 'Unauthorized');
}
$body = json_decode(file_get_contents('php://input'), true);
$session = $body['sessionId'] ?? null;
$message = $body['message'] ?? null;
if (!is_string($session) || !preg_match('/^[A-Za-z0-9._:-]{1,128}$/D', $session) || !is_string($message) ||
		$message === '' || iconv_strlen($message) > 4000) {
	refuse(400, 'Invalid request payload');
}

['id' => $exchange, 'conversation' => $conversation] = query($database, '
	with entered as (
		insert into conversation (chatbot, session) values (?, ?)
		on conflict (chatbot, session) do update set updated_at = now() returning id)
	insert into exchange (conversation, question) select id, ? from entered returning id, conversation',
	[$key[0]['chatbot'], $session, $message])[0];
$history = query($database, '
	select question, answer from exchange where conversation = ? and id < ? and answer is not null order by id desc limit 10',
	[$conversation, $exchange]);
$messages = [['role' => 'system', 'content' => 'You are a helpful assistant.']];
foreach (array_reverse($history) as $past) {
	$messages[] = ['role' => 'user', 'content' => $past['question']];
	$messages[] = ['role' => 'assistant', 'content' => $past['answer']];
}
$messages[] = ['role' => 'user', 'content' => $message];

header('Content-Type: application/x-ndjson');
header('Cache-Control: no-store, no-transform');
header('X-Accel-Buffering: no');
send(['type' => 'start', 'conversationId' => $conversation]);
flush();

$answer = $rest = '';
$finished = false;
$model = curl_init(getenv('MODEL_URL') . '/chat/completions');
curl_setopt_array($model, [
	CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
	CURLOPT_POSTFIELDS => json_encode(['model' => 'bench', 'stream' => true, 'messages' => $messages], JSON),
	CURLOPT_FAILONERROR => true,
	CURLOPT_TIMEOUT => 300,
	CURLOPT_WRITEFUNCTION => function ($model, string $bytes) use (&$answer, &$rest, &$finished): int {
		$lines = explode("\n", $rest . $bytes);
		$rest = array_pop($lines);
		foreach ($lines as $line) {
			if (!str_starts_with($line, 'data: ')) {
				continue;
			}
			if (rtrim($line) === 'data: [DONE]') {
				$finished = true;
				continue;
			}
			$token = json_decode(substr($line, 6), true)['choices'][0]['delta']['content'] ?? '';
			if ($token !== '') {
				$answer .= $token;
				send(['type' => 'token', 'token' => $token]);
			}
		}
		flush();
		return connection_aborted() ? -1 : strlen($bytes);
	},
]);
curl_exec($model);
if (!$finished && !connection_aborted()) {
	send(['type' => 'error', 'error' => 'Internal server error']);
	exit;
}
query($database, 'update exchange set answer = ?, answered_at = now() where id = ?', [$answer, $exchange]);
send(['type' => 'done', 'message' => $answer, 'conversationId' => $conversation]);
