using System.Text;
using System.Text.Json;
using Granary.Abstractions.Records;
using Granary.Gateway.Http;
using Record = Granary.Abstractions.Records.Record;

namespace Granary.Unit.Gateway.Http;

/// <summary>How the bytes of a record are shown; whatever they are, the answer is JSON in UTF-8.</summary>
public sealed class RecordOutputTests
{
    [Theory]
    [InlineData("{\"s\":\"\u00e4\"}", true, "json")]
    [InlineData("{\"s\":\"\u00e4\"}", false, "base64")]
    [InlineData("[\"\u00e4\"]", false, "base64")]
    [InlineData("\u00e4", true, "text")]
    [InlineData("\u00e4", false, "base64")]
    [InlineData("{\"s\":", true, "text")]
    [InlineData("a\u0001", true, "base64")]
    public void Show_IsJsonInUtf8_WhateverTheBytesAre(string content, bool isUtf8, string kind)
    {
        ReadOnlyMemory<byte> bytes = (isUtf8 ? Encoding.UTF8 : Encoding.Latin1).GetBytes(content);

        var shown = JsonSerializer.SerializeToUtf8Bytes(RecordOutput.Show(0, new Record { Offset = 1, Timestamp = 1, Key = bytes, Value = bytes, Headers = [new RecordHeader("h", bytes)] }), JsonSerializerOptions.Web);

        var record = JsonSerializer.Deserialize<JsonElement>(Encoding.UTF8.GetString(shown));
        foreach (var place in new[] { record.GetProperty("key"), record.GetProperty("value"), record.GetProperty("headers")[0].GetProperty("value") })
            Assert.Equal(kind, Assert.Single(place.EnumerateObject()).Name);
        Assert.True(System.Text.Unicode.Utf8.IsValid(shown));
    }
}
