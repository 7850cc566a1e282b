using System.Net;
using System.Text.Json;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Http;

/// <summary>The OpenAPI document against what is answered: every member that is answered is described, with its type, and what is required is there.</summary>
public sealed class OpenApiTests(BrokerFixture broker) : IDisposable
{
    private readonly HttpApi _api = new(broker.HttpUrl);
    private readonly HashSet<string> _checked = [];
    private JsonElement _document;

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task Answers_AreAsTheDocumentSays()
    {
        _document = (await _api.GetAsync("/openapi/v1.json")).Body;
        var (topic, group) = ($"h-{Guid.NewGuid():N}", $"g-{Guid.NewGuid():N}");
        await CheckAsync("post", "/topics", "/topics", $$"""{"name":"{{topic}}","partitionCount":2}""");
        await CheckAsync("patch", "/topics/{topic}", $"/topics/{topic}", """{"partitionCount":3}""");
        await CheckAsync("post", "/topics/{topic}/records", $"/topics/{topic}/records", """{"records":[{"key":"k","value":{"a":1},"headers":[{"name":"h","value":"v"}],"partition":0},{"value":"t","partition":0},{"value":{"base64":"AAEC"},"partition":0}]}""");
        await CheckAsync("post", "/topics/{topic}/partitions/{partition}/records", $"/topics/{topic}/partitions/0/records", """{"value":null}""");
        using (var producer = Topics.Producer(broker.Bootstrap, config => config.EnableIdempotence = true))
            await producer.ProduceAsync(new TopicPartition(topic, 0), new() { Value = [1] });
        using var consumer = Topics.Consumer(broker.Bootstrap, config => (config.GroupId, config.AutoOffsetReset) = (group, AutoOffsetReset.Earliest));
        consumer.Subscribe(topic);
        consumer.Commit(consumer.Consume(TimeSpan.FromSeconds(30)));

        await CheckAsync("get", "/topics", $"/topics?prefix={topic}&details=true");
        await CheckAsync("get", "/topics", $"/topics?prefix={topic}");
        await CheckAsync("get", "/topics/{topic}", $"/topics/{topic}");
        await CheckAsync("get", "/topics/{topic}/partitions/{partition}", $"/topics/{topic}/partitions/0");
        await CheckAsync("get", "/topics/{topic}/partitions/{partition}/records", $"/topics/{topic}/partitions/0/records");
        await CheckAsync("get", "/groups", $"/groups?prefix={group}");
        await CheckAsync("get", "/groups/{group}", $"/groups/{group}");
        await CheckAsync("get", "/cluster", "/cluster");
        var plan = (await CheckAsync("post", "/groups/{group}/resets", $"/groups/{group}/resets", """{"to":{"earliest":true}}""")).GetProperty("planId").GetGuid();
        await CheckAsync("post", "/groups/{group}/resets", $"/groups/{group}/resets", $$"""{"planId":"{{plan}}","evenIfActive":true}""");
        await CheckAsync("get", "/groups/{group}/resets", $"/groups/{group}/resets");
        await CheckAsync("get", "/topics/{topic}", "/topics/none");
        await CheckAsync("get", "/topics/{topic}/partitions/{partition}/records", $"/topics/{topic}/partitions/0/records?limit=1000000");
        await CheckAsync("post", "/cluster/silos/{name}/drain", "/cluster/silos/nobody/drain");

        // Whatever answers with JSON was looked at.
        var operations = _document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Where(one => AnswersJson(one.Value)).Select(one => $"{one.Name} {path.Name}"));
        Assert.Empty(operations.Except(_checked));
        consumer.Close();
    }

    [Fact]
    public async Task Parameters_ThatAreNamed_AreTaken()
    {
        var topic = await _api.CreateTopicAsync();
        foreach (var path in (await _api.GetAsync("/openapi/v1.json")).Body.GetProperty("paths").EnumerateObject())
        {
            if (!path.Value.TryGetProperty("get", out var operation) || !operation.TryGetProperty("parameters", out var parameters))
                continue;
            var address = path.Name.Replace("{topic}", topic, StringComparison.Ordinal).Replace("{partition}", "0", StringComparison.Ordinal).Replace("{group}", "none", StringComparison.Ordinal);
            foreach (var name in parameters.EnumerateArray().Where(one => one.GetProperty("in").GetString() == "query").Select(one => one.GetProperty("name").GetString()))
            {
                // A value that no parameter takes: one that is not known would be refused as such.
                using var http = new HttpClient();
                using var answer = await http.GetAsync($"{broker.HttpUrl}{address}?{name}=%00&limitt=1");
                var problem = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
                Assert.Equal((path.Name, HttpStatusCode.BadRequest, "limitt"), (path.Name, answer.StatusCode, problem.GetProperty("field").GetString()));
            }
        }
    }

    [Fact]
    public async Task Numbers_AreTakenWithinTheirBounds_AndRefusedBeyond()
    {
        var (topic, count) = (await _api.CreateTopicAsync(), 0);
        foreach (var path in (await _api.GetAsync("/openapi/v1.json")).Body.GetProperty("paths").EnumerateObject())
        {
            if (!path.Value.TryGetProperty("get", out var operation) || !operation.TryGetProperty("parameters", out var parameters) || path.Name.EndsWith("/stream", StringComparison.Ordinal))
                continue;
            var address = path.Name.Replace("{topic}", topic, StringComparison.Ordinal).Replace("{partition}", "0", StringComparison.Ordinal).Replace("{group}", "none", StringComparison.Ordinal);
            foreach (var parameter in parameters.EnumerateArray().Where(one => one.GetProperty("in").GetString() == "query" && one.GetProperty("schema").GetProperty("type").GetString() == "integer"))
            {
                var (name, schema) = (parameter.GetProperty("name").GetString(), parameter.GetProperty("schema"));
                var (least, most) = (schema.GetProperty("minimum").GetDecimal(), schema.GetProperty("maximum").GetDecimal());
                foreach (var (value, isWithin) in new[] { (least, true), (most, true), (least - 1, false), (most + 1, false) })
                {
                    // The longest wait is not waited for: there is a problem with what else is asked.
                    var (status, body) = await _api.GetAsync($"{address}?{name}={value}{(name == "waitMs" ? "&offset=1" : "")}");
                    var isRefused = status == HttpStatusCode.BadRequest && body.GetProperty("field").GetString() == name;
                    Assert.True(isRefused != isWithin, $"{path.Name}?{name}={value}: {status}");
                    count++;
                }
            }
        }

        Assert.True(count >= 16, $"{count} were looked at");
    }

    [Fact]
    public async Task Parameters_ThatAreNotNamed_AreRefusedEverywhere()
    {
        var topic = await _api.CreateTopicAsync();
        foreach (var path in (await _api.GetAsync("/openapi/v1.json")).Body.GetProperty("paths").EnumerateObject())
        {
            foreach (var method in path.Value.EnumerateObject().Select(one => one.Name))
            {
                var address = path.Name.Replace("{topic}", topic, StringComparison.Ordinal).Replace("{partition}", "0", StringComparison.Ordinal).Replace("{group}", "none", StringComparison.Ordinal).Replace("{name}", "nobody", StringComparison.Ordinal);
                var (status, problem) = await _api.SendAsync(new HttpMethod(method.ToUpperInvariant()), $"{address}?limitt=1", method is "post" or "patch" ? new StringContent("{}", System.Text.Encoding.UTF8, "application/json") : null);
                Assert.Equal((method, path.Name, HttpStatusCode.BadRequest, "limitt"), (method, path.Name, status, problem.GetProperty("field").GetString()));
            }
        }
    }

    [Fact]
    public async Task Records_AsTheDocumentDescribesThem_AreTaken()
    {
        _document = (await _api.GetAsync("/openapi/v1.json")).Body;
        var topic = await _api.CreateTopicAsync();
        foreach (var path in new[] { "/topics/{topic}/records", "/topics/{topic}/partitions/{partition}/records" })
        {
            var operation = _document.GetProperty("paths").GetProperty(path).GetProperty("post");
            Assert.Superset(
                new HashSet<string?> { "Idempotency-Key", "Granary-Key", "Granary-Timestamp", "Granary-Header-<name>" },
                operation.GetProperty("parameters").EnumerateArray().Select(one => one.GetProperty("name").GetString()).ToHashSet());
            var content = operation.GetProperty("requestBody").GetProperty("content");
            Assert.Equal(["application/json", "application/octet-stream", "text/plain"], content.EnumerateObject().Select(one => one.Name).Order());
            var choices = content.GetProperty("application/json").GetProperty("schema").GetProperty("oneOf").EnumerateArray().ToList();
            Assert.Equal(2, choices.Count);
            foreach (var choice in choices)
            {
                var body = ExampleOf(choice);
                var (status, answer) = await _api.PostAsync(path.Replace("{topic}", topic, StringComparison.Ordinal).Replace("{partition}", "0", StringComparison.Ordinal), body);
                Assert.True(status == HttpStatusCode.Created, $"{path}: {body}: {answer}");
            }
        }

        var first = (await _api.GetAsync($"/topics/{topic}/partitions/0/records")).Body.GetProperty("records")[0];
        Assert.Equal("1970-01-01T00:00:00.001Z", first.GetProperty("timestamp").GetString());
        Assert.Equal("text", first.GetProperty("headers")[0].GetProperty("name").GetString());
    }

    /// <summary>All members, each with the least that its type lets it be; what may be anything is the number 1.</summary>
    private string ExampleOf(JsonElement schema)
    {
        schema = Follow(schema);
        if (schema.TryGetProperty("oneOf", out var choices))
            return ExampleOf(choices.EnumerateArray().First(one => !(one.TryGetProperty("type", out var kind) && kind.ValueKind == JsonValueKind.String && kind.GetString() == "null")));
        var types = !schema.TryGetProperty("type", out var type) ? [] : type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(one => one.GetString()).ToArray() : [type.GetString()];
        return types.FirstOrDefault(one => one != "null") switch
        {
            "object" => $"{{{string.Join(',', schema.GetProperty("properties").EnumerateObject().Select(one => $"\"{one.Name}\":{ExampleOf(one.Value)}"))}}}",
            "array" => $"[{ExampleOf(schema.GetProperty("items"))}]",
            "integer" => schema.TryGetProperty("minimum", out var least) ? least.GetRawText() : "0",
            "string" => "\"text\"",
            null => "1",
            var other => throw new InvalidOperationException(other),
        };
    }

    private JsonElement Follow(JsonElement schema) => schema.TryGetProperty("$ref", out var reference)
        ? _document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!.Split('/')[^1])
        : schema;

    private static bool AnswersJson(JsonElement operation) =>
        operation.GetProperty("responses").EnumerateObject().Any(one => one.Name != "default" && one.Value.TryGetProperty("content", out var content) && content.TryGetProperty("application/json", out _));

    private async Task<JsonElement> CheckAsync(string method, string path, string address, string? body = null)
    {
        var (status, answer) = await _api.SendAsync(new HttpMethod(method), address, body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        var responses = _document.GetProperty("paths").GetProperty(path).GetProperty(method).GetProperty("responses");
        var isRefusal = (int)status >= 400;
        Assert.True(responses.TryGetProperty(isRefusal ? "default" : $"{(int)status}", out var response), $"{method} {path} answered {status}, which is not described: {answer}");
        var faults = new List<string>();
        Compare($"{method} {path}", answer, response.GetProperty("content").GetProperty(isRefusal ? "application/problem+json" : "application/json").GetProperty("schema"), faults);
        Assert.Empty(faults);
        _checked.Add($"{method} {path}");
        return answer;
    }

    private void Compare(string place, JsonElement value, JsonElement schema, List<string> faults)
    {
        schema = Follow(schema);
        foreach (var kind in new[] { "oneOf", "anyOf" })
        {
            if (!schema.TryGetProperty(kind, out var choices))
                continue;
            var tries = choices.EnumerateArray().Select(choice =>
            {
                var found = new List<string>();
                Compare(place, value, choice, found);
                return found;
            }).ToList();
            if (tries.All(one => one.Count > 0))
                faults.AddRange(tries.MinBy(one => one.Count)!);
            return;
        }

        if (schema.TryGetProperty("type", out var type) && !(type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(one => one.GetString()) : [type.GetString()]).Any(name => Is(value, name!)))
            faults.Add($"{place} is {value.ValueKind}, not {type}");
        if (value.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out var properties))
        {
            foreach (var member in value.EnumerateObject())
            {
                if (properties.TryGetProperty(member.Name, out var described))
                    Compare($"{place}.{member.Name}", member.Value, described, faults);
                else
                    faults.Add($"{place}.{member.Name} is not described");
            }

            if (schema.TryGetProperty("required", out var required))
                faults.AddRange(required.EnumerateArray().Select(one => one.GetString()!).Where(name => !value.TryGetProperty(name, out _)).Select(name => $"{place}.{name} is missing"));
        }

        if (value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out var items))
        {
            foreach (var item in value.EnumerateArray())
                Compare($"{place}[]", item, items, faults);
        }
    }

    private static bool Is(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "null" => value.ValueKind == JsonValueKind.Null,
        _ => false,
    };
}
