namespace Granary.Browser;

/// <summary>The console's arithmetic, module by module, in the browser that runs it.</summary>
[Collection(ConsoleTests.Name)]
public sealed class PureModuleTests(ConsoleFixture console)
{
    [Theory]
    // Retention of 100 s: the first segment goes at 1,100 s, the second at 1,200 s. At 10 records/s the first is read at 1,010 s.
    [InlineData("groups/expiry.js", "m.unreadExpiry({ position: 0, segments, retentionMs: 100_000, readsPerSecond: 10, now: 1_000_000 })", "null")]
    // At one record in ten seconds the first would be read at 2,000 s, the second at 3,000 s: both are gone by then.
    [InlineData("groups/expiry.js", "m.unreadExpiry({ position: 0, segments, retentionMs: 100_000, readsPerSecond: 0.1, now: 1_000_000 })", """{"end":200,"firstAt":1100000}""")]
    // Who has read the first is in danger of losing the second alone; who does not move loses what goes within a day.
    [InlineData("groups/expiry.js", "m.unreadExpiry({ position: 100, segments, retentionMs: 100_000, readsPerSecond: 0, now: 1_000_000 })", """{"end":200,"firstAt":1200000}""")]
    [InlineData("groups/expiry.js", "m.unreadExpiry({ position: 0, segments, retentionMs: Infinity, readsPerSecond: 0, now: 1_000_000 })", "null")]
    // 300 bytes of which 200 are kept: the first segment goes at the next look, the second when 100 more have come, which is after 10 s.
    [InlineData("groups/expiry.js", "m.unreadExpiry({ position: 0, segments: sized, retentionMs: Infinity, retentionBytes: 200, readsPerSecond: 0, now: 1_000_000 })", """{"end":100,"firstAt":1000000}""")]
    [InlineData("groups/expiry.js", "m.unreadExpiry({ position: 150, segments: sized, retentionMs: null, retentionBytes: 200, readsPerSecond: 0, growsPerSecond: 10, now: 1_000_000 })", """{"end":300,"firstAt":1010000}""")]
    [InlineData("groups/expiry.js", "m.unreadExpiry({ position: 150, segments: sized, retentionMs: null, retentionBytes: 200, readsPerSecond: 10, growsPerSecond: 10, now: 1_000_000 })", "null")]
    [InlineData("topics/list.js", "m.runsOf(['b', 'c', 'e'], ['a', 'b', 'c', 'd', 'e'])", """[{"first":1,"length":2,"after":"a"},{"first":4,"length":1,"after":"d"}]""")]
    [InlineData("groups/lag.js", "m.catchUpMs(100, { reads: 30, grows: 10 })", "5000")]
    [InlineData("groups/lag.js", "m.catchUpMs(100, { reads: 10, grows: 10 }) === Infinity", "true")]
    [InlineData("groups/lag.js", "m.speeds([{ at: 0, committed: 0, end: 100 }, { at: 2000, committed: 60, end: 120 }])", """{"reads":30,"grows":10}""")]
    // What follows "json" is the record's own text, to the last blank; the same letters in a text or a name are not.
    [InlineData("records/values.js", """m.readRecords('{"topic":"json","records":[{"key":{"text":"\\"json\\":{"},"value":{"json":' + odd + '}},{"value":{"json":[]}}]}').records.map((one) => [one.key?.text, one.value.json === odd])""", "[[\"\\\"json\\\":{\",true],[null,false]]")]
    [InlineData("records/values.js", """m.compact(m.asJson({ text: odd })) === '{"b":1.10,"1":2,"a":1e400,"a":"ü\\"}","json":{"json":[]}}'""", "true")]
    [InlineData("records/values.js", """m.compact('{ "cut": "o') === '{"cut":"o'""", "true")]
    [InlineData("records/values.js", "m.asText({ json: odd }) === odd && new TextDecoder().decode(m.asBytes({ json: odd })) === odd", "true")]
    [InlineData("records/values.js", "m.matches({ value: { json: odd } }, 'Ü', false) && m.matches({ value: { json: odd } }, '\"a\":1e400', false) && m.matches({ value: { json: odd } }, '\"a\" : 1e400', false)", "true")]
    [InlineData("records/json.js", "m.linesOf('{\"b\":1.10, \"b\":[ ],\"1\":[1e400]}').map((line) => line.map((part) => part[1]).join(''))", """["{","  \"b\": 1.10,","  \"b\": [],","  \"1\": [","    1e400","  ]","}"]""")]
    [InlineData("records/values.js", "m.asText({ base64: 'w7w=' })", "\"ü\"")]
    [InlineData("records/values.js", "m.hexLines({ base64: 'AEH/' }).lines", """[{"at":"000000","digits":"00 41 ff                                       ","letters":"·A·"}]""")]
    [InlineData("records/values.js", "m.matches({ key: { text: 'Abc' }, value: { json: '{\"n\":1}' }, headers: [] }, 'aB', true)", "true")]
    [InlineData("records/produce.js", "m.readHeaders('a: b: c\\n\\nd:')", """[{"name":"a","value":"b: c"},{"name":"d","value":""}]""")]
    [InlineData("core/format.js", "[m.bytes(1234567), m.duration(93_784_000), m.duration(412.4), m.short(0.5), m.plural(1, 'silo')]", """["1.2 MB","1 d 2 h","412 ms","0.5","1 silo"]""")]
    [InlineData("core/hue.js", "m.hueOf('learner-events') === m.hueOf('learner-events') && /^hue-[0-8] mark-[0-2]$/.test(m.hueOf('ä'))", "true")]
    [InlineData("cluster/layout.js", "m.layOut(440, [{ nodeId: 1, tiles: ['a/0', 'a/1'], held: 2 }, { nodeId: 2, tiles: [], held: 0 }]).boxes.map((box) => box.left)", "[0,228]")]
    [InlineData("cluster/layout.js", "m.layOut(360, [{ nodeId: 1, tiles: ['a/0'], held: 1 }, { nodeId: 2, tiles: [], held: 0 }]).boxes.map((box) => box.left)", "[0,0]")]
    // An empty slot keeps its place.
    [InlineData("cluster/layout.js", "[...m.layOut(440, [{ nodeId: 1, tiles: ['a/0', null, 'a/2'], held: 2 }]).places].map(([key, place]) => [key, place.x])", "[[\"a/0\",12],[\"a/2\",108]]")]
    // Who leaves leaves a gap, who comes takes the first one or the end.
    [InlineData("cluster/slots.js", "slots(m, (one) => { one.follow('a/1', at('a', 1, 2)); one.follow('a/4', at('a', 4, 2)); one.follow('a/5', at('a', 5, 1)); })", "[[1,[\"a/0\",\"a/5\",\"a/2\"],3],[2,[\"a/3\",\"a/1\",\"a/4\"],3]]")]
    // A partition that is deleted, and one that stays where it is.
    [InlineData("cluster/slots.js", "slots(m, (one) => { one.follow('a/0', undefined); one.follow('a/3', at('a', 3, 2)); })", "[[1,[null,\"a/1\",\"a/2\"],2],[2,[\"a/3\"],1]]")]
    [InlineData("cluster/slots.js", "slots(m, (one) => { one.follow('a/1', at('a', 1, 2)); one.pack([at('b', 0, 1), at('a', 2, 1), at('a', 1, 2)]); })", "[[1,[\"a/2\",\"b/0\"],2],[2,[\"a/1\"],1]]")]
    [InlineData("core/sse.js", "read(m, 'retry: 1000\\nid: 0:4\\n\\n', ': alive\\n\\nid:0:5\\r\\neve', 'nt: record\\r', '\\ndata: {\\ndata: }\\n\\n')", "[\"0:5\",[[\"record\",\"{\\n}\"]]]")]
    // An id counts where it stands alone, and one that is left out stays.
    [InlineData("core/sse.js", "read(m, 'id: 0:4\\n\\n', 'event: gap\\ndata: 1\\n\\n')", "[\"0:4\",[[\"gap\",\"1\"]]]")]
    [InlineData("cluster/layout.js", "m.neighbour(new Map([['a', { x: 0, y: 0 }], ['b', { x: 50, y: 0 }], ['c', { x: 0, y: 50 }]]), 'a', 'ArrowDown')", "\"c\"")]
    public async Task Function_Gives(string module, string expression, string expected)
    {
        var page = await console.ModulesAsync();
        var script = $$"""
            async () => {
              const segments = [{ baseOffset: 0, endOffset: 100, maxTimestamp: new Date(1_000_000) }, { baseOffset: 100, endOffset: 200, maxTimestamp: new Date(1_100_000) }];
              const sized = [0, 100, 200].map((baseOffset) => ({ baseOffset, endOffset: baseOffset + 100, sizeBytes: 100, maxTimestamp: new Date(1_000_000), isActive: baseOffset === 200 }));
              const at = (topic, partition, nodeId) => ({ key: `${topic}/${partition}`, topic, partition, nodeId });
              const slots = (m, change) => {
                const one = new m.Slots();
                one.pack([at('a', 3, 2), at('a', 1, 1), at('a', 0, 1), at('a', 2, 1)]);
                change(one);
                return one.columns([1, 2]).map((column) => [column.nodeId, column.tiles, column.held]);
              };
              const odd = '{"b":1.10,"1":2, "a" : 1e400,"a":"\\u00fc\\"}","json":{"json":[ ]} } ';
              const read = (m, ...pieces) => {
                const events = [];
                const reader = new m.EventReader('', (...event) => events.push(event));
                for (const piece of pieces) reader.push(piece);
                return [reader.lastEventId, events];
              };
              const m = await import('/console/{{module}}');
              return JSON.stringify({{expression}});
            }
            """;
        Assert.Equal(expected, await page.EvaluateAsync<string>(script));
    }

    [Fact]
    public async Task Failovers_TellTheStepsOfTheNewestDeath()
    {
        var page = await console.ModulesAsync();
        const string script = """
            async () => {
              const { Failovers } = await import('/console/cluster/failovers.js');
              const failovers = new Failovers();
              const at = (ms) => new Date(1e12 + ms).toISOString();
              const add = (ms, kind, more) => failovers.add({ entry: ms, at: at(ms), kind, ...more });
              add(0, 'epoch-raised', { topic: 'before' });
              add(100, 'silo-suspected', { silo: 'b' });
              add(150, 'silo-suspected', { silo: 'b' });
              add(400, 'silo-dead', { silo: 'b' });
              add(450, 'epoch-raised', { count: 1 });
              failovers.add({ entry: 450, at: at(450), kind: 'epoch-raised', count: 7 });
              add(500, 'first-append', {});
              failovers.opened(1e12 + 600, 350);
              add(99_000, 'epoch-raised', { count: 5 });
              const { silo, steps, moved, longestGapMs } = failovers.last;
              return JSON.stringify([silo, steps.map((step) => [step.name, step.afterMs]), moved, longestGapMs]);
            }
            """;
        Assert.Equal("""["b",[["suspected",0],["dead",300],["epoch",350],["append",400]],7,350]""", await page.EvaluateAsync<string>(script));
    }
}
