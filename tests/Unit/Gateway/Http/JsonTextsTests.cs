using System.Net;
using System.Text.Json;
using Granary.Abstractions.Records;
using Granary.Gateway.Http;

namespace Granary.Unit.Gateway.Http;

/// <summary>Texts that JSON lets pass and that are none.</summary>
public sealed class JsonTextsTests
{
    [Theory]
    [InlineData("PATCH", "/topics/t/config", """{"retention.ms":"\ud800"}""", "retention.ms")]
    [InlineData("PATCH", "/topics/t/config", """{"\ud800":"1"}""", null)]
    [InlineData("POST", "/topics", """{"name":"n","config":{"retention.ms":"\ud800"}}""", "retention.ms")]
    [InlineData("POST", "/topics", """{"name":"\ud800"}""", "name")]
    [InlineData("POST", "/topics", """{"name":"n","\ud800":1}""", null)]
    [InlineData("POST", "/topics/t/records", """{"value":1,"timestamp":"\ud800"}""", "timestamp")]
    [InlineData("POST", "/topics/t/records", """{"value":1,"headers":[{"name":"\ud800","value":"v"}]}""", "headers[0].name")]
    [InlineData("POST", "/topics/t/records", """{"value":1,"headers":[{"value":"v","\ud800":1,"name":"n"}]}""", "headers[0]")]
    [InlineData("POST", "/topics/t/records", """{"value":1,"headers":[{"name":"n","value":"\udc00x"}]}""", "headers[0].value")]
    [InlineData("POST", "/topics/t/records", """{"records":[{"value":1},{"value":2,"\ud800":1}]}""", "records[1]")]
    [InlineData("POST", "/topics/t/records", """{"records":[{"value":1}],"\ud800":1}""", "body")]
    [InlineData("POST", "/topics/t/records", """{"value":1,"\ud800":1}""", "body")]
    [InlineData("POST", "/topics/t/records", """{"value":{"base64":"\ud800"}}""", "value")]
    [InlineData("POST", "/topics/t/records", """{"key":"\ud800","value":1}""", "key")]
    public async Task HalfOfASurrogatePair_WhereTextIsWanted_IsABadRequestThatNamesItsField(string method, string path, string body, string? field)
    {
        await using var http = await TestHttp.StartAsync();
        http.Cluster.AddTopic("t");

        var (status, problem) = await http.SendAsync(new HttpMethod(method), path, body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.NotEmpty(problem.GetProperty("field").GetString()!);
        if (field is not null)
            Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Empty(http.Log.Errors);
    }

    /// <summary>A value that stays JSON is kept as it came: nobody asks for its texts.</summary>
    [Theory]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"text":"\ud800"}""")]
    [InlineData("""["\ud800"]""")]
    public async Task HalfOfASurrogatePair_WithinAValueThatStaysJson_IsKept(string value)
    {
        await using var http = await TestHttp.StartAsync();
        var topic = http.Cluster.AddTopic("t");

        Assert.Equal(HttpStatusCode.Created, (await http.PostAsync("/topics/t/records", $$"""{"value":{{value}}}""")).Status);

        var record = Assert.Single(RecordBatchReader.ReadAll(http.Cluster[topic, 0].Appended.Single()));
        Assert.Equal(value, record.ValueText);
    }

    [Fact]
    public void HalfOfASurrogatePair_AsTheTimeOfAReset_IsABadRequestThatNamesItsField()
    {
        var to = JsonSerializer.Deserialize<ResetTo>("""{"timestamp":"\ud800"}""", JsonSerializerOptions.Web);

        var problem = Assert.Throws<Problem>(() => ResetRules.Of(to, null, null));

        Assert.Equal((400, "to.timestamp"), (problem.Status, problem.Field));
    }
}
